-- A code of somebody's choice as they wrote it. `code` is what it is read as: with digits for the
-- letters that look like them.
alter table loyalty.referral_code add column wished text;
grant update (wished) on loyalty.referral_code to loyalty_app, loyalty_worker;
