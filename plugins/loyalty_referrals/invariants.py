"""What must always hold of referrals. Each query must find nothing."""

from collections.abc import Mapping

INVARIANTS: Mapping[str, str] = {
    "a friend is qualified by a settlement of their own": """
      select r.id, r.fact_id from loyalty.referral r
       where r.fact_id is not null and not exists (
         select from loyalty.fact f
          where f.tenant_id = r.tenant_id and f.id = r.fact_id and f.member_id = r.friend_id
            and f.kind = 'referrals.friend_qualified/1' and f.key = r.key)""",
    "what stands for a referrer was settled for them": """
      select s.member_id, s.key from (
        select tenant_id, member_id, key, 'referrals.reward_due/1' as kind
          from loyalty.referral_side where stands
        union all select tenant_id, member_id, key, 'referrals.step_reached/1'
          from loyalty.referral_step where stands) s
       where not exists (
         select from loyalty.fact f
          where f.tenant_id = s.tenant_id and f.scope = 'follow' and f.key = s.key
            and f.member_id = s.member_id and f.kind = s.kind)""",
    "an admin's word has a name and a reason": """
      select r.id, r.verdict from loyalty.referral r
       where (r.verdict in ('RELEASED', 'REFUSED'))
          <> (r.decided_by is not null and r.decided_at is not null
              and (r.decided_why is not null or r.code like 'erased:%'))
    """,
}
