-- A member may be frozen: what happens to them is recorded and earns, they spend nothing. Who checks
-- the status by CLOSED alone (a process of the release before) takes them for active, as before.
alter table loyalty.member drop constraint member_status_check;
alter table loyalty.member add constraint member_status_check
  check (status in ('ACTIVE', 'FROZEN', 'CLOSED')) not valid;
alter table loyalty.member validate constraint member_status_check;
