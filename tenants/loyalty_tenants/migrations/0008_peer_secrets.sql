-- The secret that calls between two installations are signed with is replaced without a pause. The
-- next one is heard from the moment it is handed out, or entered; the one before it for a while
-- after the next came into force.
alter table loyalty.peer
  add column next_secret bytea,
  add column old_secret bytea,
  add column old_until timestamptz,
  -- The columns are new: no row says anything of them.
  add constraint peer_next_secret check (octet_length(next_secret) between 32 and 64) not valid,
  add constraint peer_old_secret check (
    (old_secret is null) = (old_until is null) and octet_length(old_secret) between 32 and 64)
    not valid;
grant update (secret, next_secret, old_secret, old_until) on loyalty.peer to loyalty_app;
