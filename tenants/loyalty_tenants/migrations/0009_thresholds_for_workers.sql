-- Workers carry out what is left of an order, and hold it to what one person may correct in a day.
grant select on loyalty.approval_policy to loyalty_worker;
grant select on loyalty.approval_threshold to loyalty_worker;
