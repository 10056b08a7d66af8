"""How long things are kept: as shipped, by the installation, by the tenant; then they go."""

from datetime import timedelta
from typing import Any

import pytest

from loyalty.jobs.cleaning import TERMS as KERNEL_TERMS
from loyalty.meters import RETENTION_DELETED
from loyalty.retention import Retention
from loyalty_app.keeping import given
from loyalty_app.problem import Problem
from loyalty_app.settings import Settings
from loyalty_tenants.cleaning import TERMS, clean
from tests.graphql.documents import ERRORS

TERM = "what days own least"
ALL = f"{{ retention {{ {TERM} }} }}"
SET = f"""mutation($what: String!, $days: Int) {{
  setRetention(input: {{what: $what, days: $days}}) {{ retention {{ {TERM} }} {ERRORS} }} }}"""
TRAIL = "{ auditTrail(first: 100) { edges { node { action subject details } } } }"


async def terms(brand: Any) -> dict[str, Any]:
    return {one["what"]: one for one in (await brand.admin.run(ALL))["retention"]}


async def said(brand: Any, what: str, days: int | None) -> list[Any]:
    payload = (await brand.admin.run(SET, what=what, days=days))["setRetention"]
    return [(error["code"], error["field"]) for error in payload["userErrors"]]


async def test_a_tenant_says_how_long_and_takes_it_back(brand: Any) -> None:
    assert (await terms(brand))["audit_trail"] == {
        "what": "audit_trail", "days": None, "own": False, "least": 90,
    }  # fmt: skip
    assert await said(brand, "audit_trail", 400) == []
    assert (await terms(brand))["audit_trail"]["days"] == 400
    (newest, *_) = (await brand.admin.run(TRAIL))["auditTrail"]["edges"]
    assert newest["node"] == {
        "action": "retention.set", "subject": "retention:audit_trail",
        "details": {"before": None, "days": 400},
    }  # fmt: skip
    assert await said(brand, "audit_trail", 89) == [("BAD_USER_INPUT", "days")]
    assert await said(brand, "facts", 10) == [("NOT_FOUND", "what")]
    assert await said(brand, "audit_trail", None) == []
    assert (await terms(brand))["audit_trail"]["own"] is False


async def test_what_is_over_goes_tenant_by_tenant_and_is_counted(
    make_brand: Any, worker_database: Any
) -> None:
    brief, patient = await make_brand(), await make_brand()
    assert await said(brief, "audit_trail", 90) == []
    later, counted = brief.clock.now() + timedelta(days=91), _counted()
    for brand in (brief, patient):
        while await clean(worker_database, brand.tenant_id, later, batch=2):
            pass
    assert (await brief.admin.run(TRAIL))["auditTrail"]["edges"] == []
    kept = (await patient.admin.run(TRAIL))["auditTrail"]["edges"]
    assert kept, "who says nothing keeps them for good"
    assert _counted() - counted >= 5
    # The installation may say less for everybody.
    shorter = Retention(TERMS, {"audit_trail": 90})
    while await clean(worker_database, patient.tenant_id, later, shorter):
        pass
    assert (await patient.admin.run(TRAIL))["auditTrail"]["edges"] == []


def _counted() -> float:
    return float(RETENTION_DELETED.labels("audit_trail")._value.get())


def test_an_installation_says_so_by_a_setting() -> None:
    assert given(Settings(retention="audit_trail=400, inbound=30,")) == {
        "audit_trail": 400, "inbound": 30,
    }  # fmt: skip
    assert given(Settings()) == {}
    for wrong in ("audit_trail", "audit_trail=89", "facts=1", "inbound=x"):
        with pytest.raises(Problem, match="LOYALTY_RETENTION"):
            given(Settings(retention=wrong))
    with pytest.raises(ValueError, match="no term"):
        Retention(KERNEL_TERMS, {"audit_trail": 400})
