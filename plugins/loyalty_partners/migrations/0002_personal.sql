-- What staff wrote about a line of an erased member goes.
grant update (reason) on loyalty.partners_dispute to loyalty_app;
