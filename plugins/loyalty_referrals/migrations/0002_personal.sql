-- What an erased member was seen with goes, and the codes that they handed on get other names.
grant update (code) on loyalty.referral_code to loyalty_app, loyalty_worker;
grant delete on loyalty.referral_signal to loyalty_app, loyalty_worker;
