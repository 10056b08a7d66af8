-- Lines of the clearing account as their writer hands them over, in the order of its columns: one
-- array of rows. As twenty arrays, one for each column, they took twice as long to send and to read.
create type loyalty.partners_movement_in as (
  fact_id uuid, member_id uuid, occurred_at timestamptz,
  id uuid, agreement_id uuid, kind text, terms integer, currency text, amount bigint,
  charge bigint, unit text, points_out bigint, points_in bigint, fee bigint, partner_points bigint,
  carried bigint, base bigint, of_id uuid, link_id uuid, ref text);
