-- A back-test is priced by the worker that walks it.
grant select on loyalty.point_cost to loyalty_worker;
