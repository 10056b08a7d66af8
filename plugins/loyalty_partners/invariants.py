"""What must always hold of clearing accounts and statements. Each query must find nothing."""

from collections.abc import Mapping

INVARIANTS: Mapping[str, str] = {
    "points in a clearing account are those that its lines moved": """
      select coalesce(p.agreement, l.agreement) as agreement, coalesce(p.unit, l.unit) as unit,
             coalesce(p.v, 0) as posted, coalesce(l.v, 0) as lines
        from (select substr(a.kind, 10)::uuid as agreement, x.unit, sum(x.v) as v from (
                select to_id as id, unit, amount as v from loyalty.posting
                union all select from_id, unit, -amount from loyalty.posting) x
                join loyalty.account a on a.id = x.id
               where a.kind ^@ 'clearing:' and not a.stored group by 1, 2) p
        full join (
          select agreement_id as agreement, unit, sum(points_out - points_in) as v
            from loyalty.partners_movement where unit is not null group by 1, 2) l
          on (l.agreement, l.unit) = (p.agreement, p.unit)
       where coalesce(p.v, 0) <> coalesce(l.v, 0)""",
    "whatever moved with a partner left one line": """
      select f.id, f.kind, count(m.id) as lines from loyalty.fact f
        left join loyalty.partners_movement m
          on m.tenant_id = f.tenant_id and m.fact_id = f.id
       where f.kind in ('partners.points_given/1', 'partners.points_taken/1', 'partners.charged/1',
                        'partners.giving_undone/1', 'partners.charge_undone/1',
                        'partners.points_issued/1', 'partners.pack_sold/1',
                        'partners.points_sent/1', 'partners.points_received/1',
                        'partners.sending_voided/1', 'partners.sending_undone/1',
                        'partners.write_off_ended/1')
       group by f.id, f.kind having count(m.id) <> 1""",
    "a line of points names its fact": """
      select m.id, m.kind from loyalty.partners_movement m
       where m.kind in ('EXCHANGE', 'ISSUE', 'EARN', 'BURN', 'REVERSAL', 'VOID') and not exists (
         select from loyalty.fact f where f.tenant_id = m.tenant_id and f.id = m.fact_id)""",
    "no more of a line is taken back than it moved": """
      select m.id, m.points_in, m.points_out, r.points_in as in_back, r.points_out as out_back
        from loyalty.partners_movement m join (
          select of_id, sum(points_in) as points_in, sum(points_out) as points_out
            from loyalty.partners_movement where kind = 'REVERSAL' group by 1) r on r.of_id = m.id
       where m.points_in + r.points_in < 0 or m.points_out + r.points_out < 0""",
    "a fund holds what was bought and not given yet": """
      select coalesce(f.agreement_id, l.agreement_id) as agreement, coalesce(f.points, 0) as fund,
             coalesce(l.v, 0) as lines from loyalty.partners_fund f
        full join (
          select m.agreement_id, sum(m.points_out - m.points_in) as v
            from loyalty.partners_movement m join loyalty.partners_terms t
              on (t.tenant_id, t.agreement_id, t.number) = (m.tenant_id, m.agreement_id, m.terms)
           where m.kind = 'PACK' or t.terms #>> '{issuing,prepaid}' = 'true' group by 1) l
          on l.agreement_id = f.agreement_id
       where coalesce(f.points, 0) <> coalesce(l.v, 0)""",
    "an exchange with a partner elsewhere has the lines that its leg says": """
      select coalesce(l.id, m.id) as exchange, l.outgoing, l.state, l.reversal, m.made, m.voided,
             m.reversed
        from loyalty.partners_leg l
        full join (
          select coalesce(m.of_id, m.id) as id, count(*) filter (where m.kind = 'EXCHANGE') as made,
                 count(*) filter (where m.kind = 'VOID') as voided,
                 count(*) filter (where m.kind = 'REVERSAL') as reversed,
                 sum(m.points_out) as points_out, sum(m.points_in) as points_in,
                 sum(m.amount + m.charge) as amount
            from loyalty.partners_movement m join loyalty.partners_agreement a
              on (a.tenant_id, a.id) = (m.tenant_id, m.agreement_id)
           where a.peer_id is not null and m.kind in ('EXCHANGE', 'VOID', 'REVERSAL')
           group by 1) m on m.id = l.id
       where l.id is null
          or coalesce(m.made, 0) <> (l.outgoing or l.state <> 'VOIDED')::int
          or coalesce(m.voided, 0) <> (l.outgoing and l.state = 'VOIDED')::int
          or coalesce(m.reversed, 0) <> (l.reversal in ('TAKEN', 'DONE') is true)::int
          or (m.voided + m.reversed > 0 and (m.points_out, m.points_in, m.amount) <> (0, 0, 0))""",
    "points that are written off are those of exchanges that came back and stand": """
      select coalesce(p.unit, l.unit) as unit, p.v as lost, l.v as written_off
        from (select x.unit, sum(x.v) as v from (
                select to_id as id, unit, amount as v from loyalty.posting
                union all select from_id, unit, -amount from loyalty.posting) x
                join loyalty.account a on a.id = x.id
               where a.kind = 'exchange_losses' group by x.unit) p
        full join (
          select m.unit, -sum(m.points_out) as v
            from loyalty.partners_leg l join loyalty.partners_movement m
              on (m.tenant_id, m.id) = (l.tenant_id, l.id)
           where l.written_off_at is not null and l.state <> 'VOIDED' and l.reversal is null
           group by m.unit) l on l.unit = p.unit
       where coalesce(p.v, 0) <> coalesce(l.v, 0)""",
    "a day that a partner elsewhere found equal is as it was": """
      select k.agreement_id, k.day, k.exchanges, k.amount, d.exchanges as now,
             d.amount as amount_now
        from loyalty.partners_day k cross join lateral (
          select count(*) as exchanges, coalesce(sum(m.amount + m.charge), 0) as amount
            from loyalty.partners_leg l join loyalty.partners_movement m
              on (m.tenant_id, m.id) = (l.tenant_id, l.id)
           where l.tenant_id = k.tenant_id and l.agreement_id = k.agreement_id
             and l.state <> 'VOIDED' and (l.happened_at at time zone 'UTC')::date = k.day) d
       where k.state = 'MATCHED' and (k.exchanges, k.amount) <> (d.exchanges, d.amount)""",
    "a statement that is settled says what its lines do": """
      select s.id, s.opening, s.movements, s.fees, s.payments, l.opening as lines_opening,
             l.movements as lines_movements, l.fees as lines_fees, l.payments as lines_payments
        from loyalty.partners_statement s cross join lateral (
          select coalesce(sum(m.amount + m.charge) filter (where m.occurred_at < s.since), 0)
                   as opening,
                 coalesce(sum(m.amount) filter (where m.occurred_at >= s.since
                   and m.kind <> 'SETTLEMENT'), 0) as movements,
                 coalesce(sum(m.charge) filter (where m.occurred_at >= s.since), 0) as fees,
                 coalesce(sum(m.amount) filter (where m.occurred_at >= s.since
                   and m.kind = 'SETTLEMENT'), 0) as payments
            from loyalty.partners_movement m
           where m.tenant_id = s.tenant_id and m.agreement_id = s.agreement_id
             and m.currency = s.currency and m.occurred_at < s.before) l
       where s.state = 'SETTLED' and (s.opening, s.movements, s.fees, s.payments)
             is distinct from (l.opening, l.movements, l.fees, l.payments)""",
}

# Over all tenants: what one owes, the other is owed; each half has its other; the points of one are
# the partner's points of the other.
NETS: Mapping[str, str] = {
    "payables and receivables of all tenants net to nothing": """
      select m.agreement_id || ' ' || m.currency as what, sum(m.amount + m.charge) as amount,
             a.partner_tenant_id as partner
        from loyalty.partners_movement m join loyalty.partners_agreement a
          on (a.tenant_id, a.id) = (m.tenant_id, m.agreement_id)
       where a.partner_tenant_id is not null group by 1, 3""",
    "each half of a movement has its other": """
      select m.agreement_id::text as what, a.partner_tenant_id as partner,
             sum(case when m.tenant_id < a.partner_tenant_id then 1 else -1 end
               * hashtextextended(m.id || m.kind || m.occurred_at, 0)::numeric) as amount
        from loyalty.partners_movement m join loyalty.partners_agreement a
          on (a.tenant_id, a.id) = (m.tenant_id, m.agreement_id)
       where a.partner_tenant_id is not null group by 1, 2""",
    "points that leave one side are the partner's points of the other": """
      select m.agreement_id::text as what, a.partner_tenant_id as partner,
             sum(m.points_out + m.points_in - m.partner_points) as amount
        from loyalty.partners_movement m join loyalty.partners_agreement a
          on (a.tenant_id, a.id) = (m.tenant_id, m.agreement_id)
       where a.partner_tenant_id is not null group by 1, 2""",
    "both halves of an agreement, a link and a statement stand alike": """
      select x.what, x.partner, sum(x.amount) as amount from (
        select 'agreement ' || a.id as what, a.partner_tenant_id as partner,
               case when a.tenant_id < a.partner_tenant_id then 1 else -1 end
                 * hashtextextended(a.kind || a.state, 0)::numeric as amount
          from loyalty.partners_agreement a where a.partner_tenant_id is not null
        union all
        select 'link ' || l.id, a.partner_tenant_id,
               case when a.tenant_id < a.partner_tenant_id then 1 else -1 end
                 * hashtextextended(l.agreement_id || l.state, 0)::numeric
          from loyalty.partners_link l join loyalty.partners_agreement a
            on (a.tenant_id, a.id) = (l.tenant_id, l.agreement_id)
         where a.partner_tenant_id is not null
        union all
        select 'statement ' || s.id, a.partner_tenant_id, s.net
          from loyalty.partners_statement s join loyalty.partners_agreement a
            on (a.tenant_id, a.id) = (s.tenant_id, s.agreement_id)
         where a.partner_tenant_id is not null) x
       group by 1, 2""",
}
