"""What particular objects say: to operators and the autoscaler, and when migrations come."""

import configparser
import re
from typing import TypeGuard

import pytest
import yaml
from prometheus_client import Gauge

from loyalty_app.settings import Settings
from loyalty_graphql import meters

from .chart import CASES, CHART, Case, Object, load, named, objects, of_kind, render
from .pods import pod

METRICS = yaml.safe_load((CHART / "metrics.yaml").read_text("utf-8"))
ALERTS = yaml.safe_load((CHART / "alerts.yaml").read_text("utf-8"))
TRUSTED = "LOYALTY_TRUSTED_DOCUMENTS"
OURS = re.compile(r"\bloyalty_[a-z_]+")


def test_metrics_are_off_unless_asked_for() -> None:
    for case in ("trial", "managed", "bare"):
        found = objects(case)
        assert not {"ServiceMonitor", "PrometheusRule"} & {one["kind"] for one in found}
        assert "metrics" not in str(of_kind(found, "Deployment"))
        assert OURS.findall(str(of_kind(found, "HorizontalPodAutoscaler"))) == []


def test_names_of_metrics_stand_in_no_template() -> None:
    templates = "".join(path.read_text("utf-8") for path in (CHART / "templates").rglob("*.yaml"))
    roles = {"loyalty_admin", "loyalty_app", "loyalty_worker", "loyalty_audit", "loyalty_"}
    assert set(OURS.findall(templates)) <= roles
    assert METRICS["inFlight"] in {meter._name for meter in vars(meters).values() if _is(meter)}


def _is(meter: object) -> TypeGuard[Gauge]:
    return isinstance(meter, Gauge)


def test_alerts_are_those_of_the_guide_about_this_release_alone() -> None:
    [group] = named(objects("external"), "PrometheusRule")["spec"]["groups"]
    given = {rule["alert"]: rule for part in ALERTS["groups"] for rule in part["rules"]}
    assert [rule["alert"] for rule in group["rules"]] == list(given)
    mine = 'namespace="brands", service="shop-loyalty-metrics"'
    for rule in group["rules"]:
        asked = OURS.findall(given[rule["alert"]]["expr"])
        assert rule["expr"].count(mine) == len(asked) > 0
        assert re.findall(rf"(loyalty_\w+){{{mine}", rule["expr"]) == asked
        bare = rule["expr"].replace(f"{mine}, ", "").replace(f"{{{mine}}}", "")
        assert bare == given[rule["alert"]]["expr"]
        page = f"https://docs.example.com/observing/#{rule['alert'].lower()}"
        assert rule["annotations"]["runbook_url"] == page


def test_the_monitor_finds_the_service_of_metrics() -> None:
    found = objects("external")
    monitor, service = named(found, "ServiceMonitor"), named(found, "Service", "-metrics")
    wanted = monitor["spec"]["selector"]["matchLabels"]
    assert wanted.items() <= service["metadata"]["labels"].items()
    [endpoint] = monitor["spec"]["endpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("metrics", METRICS["path"])
    for component in ("api", "worker"):
        [container] = pod(found, component).spec["containers"]
        assert {"name": METRICS["setting"], "value": "9090"} in container["env"]


def test_the_autoscaler_looks_at_the_processor_and_at_requests_under_way() -> None:
    [cpu, flight] = named(objects("external"), "HorizontalPodAutoscaler")["spec"]["metrics"]
    assert cpu["containerResource"]["target"] == {"type": "Utilization", "averageUtilization": 70}
    assert flight["pods"]["metric"] == {"name": METRICS["inFlight"]}
    assert "replicas" not in named(objects("external"), "Deployment", "-api")["spec"]
    assert of_kind(objects("bare"), "HorizontalPodAutoscaler") == []
    assert named(objects("bare"), "Deployment", "-api")["spec"]["replicas"] == 2


HOOKED = ["managed", "managed, upgraded", "trial, upgraded", "external, upgraded"]


@pytest.mark.parametrize("case", HOOKED)
def test_migrations_come_before_everything_else(case: str) -> None:
    found = objects(case)
    [job] = of_kind(found, "Job")
    account = named(found, "ServiceAccount", "-migration")
    hooks = [one["metadata"]["annotations"] for one in (account, job)]
    assert {one["helm.sh/hook"] for one in hooks} == {"pre-install,pre-upgrade"}
    assert int(hooks[0]["helm.sh/hook-weight"]) < int(hooks[1]["helm.sh/hook-weight"])
    assert job["spec"]["completions"] == job["spec"]["parallelism"] == 1


@pytest.mark.parametrize("case", ["trial", "external"])
def test_where_the_chart_makes_what_they_need_they_come_beside_it(case: str) -> None:
    [job] = of_kind(objects(case), "Job")
    assert "annotations" not in job["metadata"]
    made = render(Case(case, {"image": {"tag": "0.2.0"}}))["loyalty/templates/migration/job.yaml"]
    [next_job] = load(made)
    assert next_job["metadata"]["name"] != job["metadata"]["name"]  # a job cannot be changed


@pytest.mark.parametrize("case", CASES)
def test_processes_wait_for_their_schema_with_their_own_login(case: str) -> None:
    found = objects(case)
    for component, login in {"api": "APP", "worker": "WORKER"}.items():
        [waiting] = pod(found, component).spec["initContainers"]
        assert waiting["args"][0] == "wait"
        named_files = [one["name"] for one in waiting["env"] if one["name"].endswith("_FILE")]
        assert named_files == [f"LOYALTY_{login}_DATABASE_URL_FILE"]


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("managed", ["migrate", "--wait", "300"]),
        ("managed, passwords set, metrics", ["migrate", "--wait", "300", "--passwords"]),
        ("trial", ["migrate", "--wait", "300", "--passwords"]),
    ],
)
def test_migrations_set_passwords_where_they_are_told_to(case: str, words: list[str]) -> None:
    [container] = pod(objects(case), "migration").spec["containers"]
    assert container["args"] == words
    files = [one["name"] for one in container["env"] if one["name"].endswith("_FILE")]
    assert len(files) == (4 if "--passwords" in words else 1)


def test_made_up_secrets_are_settings_that_are_taken() -> None:
    found = objects("trial with PgBouncer")
    given = named(found, "Secret")["stringData"]
    settings = Settings(
        app_database_url=given["app-database-url"],
        worker_database_url=given["worker-database-url"],
        audit_database_url=given["audit-database-url"],
        redis_url=given["redis-url"],
        operator_secret=given["operator-secret"],
    )
    password = str(settings.redis_url).split(":")[2].partition("@")[0]
    assert given["valkey.conf"] == f"requirepass {password}\n"
    for login in ("app", "worker", "audit"):
        url = str(getattr(settings, f"{login}_database_url"))
        name, password, place = re.findall(r"//(\w+):(\w+)@(.*)$", url)[0]
        assert place == "shop-loyalty-pgbouncer:6432/loyalty"
        assert f'"{name}" "{password}"\n' in given["userlist.txt"]


def test_the_trial_keeps_its_database_and_its_passwords() -> None:
    found = objects("trial")
    cluster = named(found, "Cluster")
    for one in (cluster, named(found, "Secret")):
        assert one["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert cluster["spec"]["bootstrap"]["initdb"] == {
        "database": "loyalty",
        "owner": "loyalty_admin",
        "postInitApplicationSQL": ["alter role loyalty_admin createrole"],
    }
    assert cluster["spec"]["postgresql"]["parameters"]["shared_buffers"] == "256MB"
    [database, *_] = pod(found, "migration").spec["volumes"][0]["projected"]["sources"]
    assert database["secret"]["name"] == f"{cluster['metadata']['name']}-app"


def test_pgbouncer_is_set_as_the_guide_says() -> None:
    guide = (CHART.parents[1] / "docs" / "scaling.md").read_text("utf-8")
    wanted = _ini(guide.split("```ini\n", 1)[1].split("```", 1)[0])["pgbouncer"]
    found = _ini(named(objects("external"), "ConfigMap")["data"]["pgbouncer.ini"])
    assert wanted.items() <= found["pgbouncer"].items()
    assert found["databases"] == {"*": "host=postgres.internal port=5432"}
    assert found["users"]["loyalty_app"] == "pool_size=20"


def _ini(text: str) -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    return {name: dict(parser[name]) for name in parser.sections()}


def test_what_is_let_in_from_outside_leads_to_the_api() -> None:
    ingress = named(objects("managed"), "Ingress")["spec"]
    [rule] = ingress["rules"]
    assert [path["path"] for path in rule["http"]["paths"]] == [
        "/graphql", "/schema.graphql", "/in/", "/ide",
    ]  # fmt: skip
    route = named(objects("external"), "HTTPRoute")["spec"]
    assert route["rules"][0]["backendRefs"] == [{"name": "shop-loyalty", "port": 80}]
    assert route["parentRefs"] == [{"name": "public", "namespace": "gateways"}]
    for one in (ingress, route):
        assert "readyz" not in str(one)


def test_trusted_documents_are_read_by_the_api_alone() -> None:
    found = objects("managed, trusted documents")
    api = pod(found, "api")
    [container] = api.spec["containers"]
    [path] = [one["value"] for one in container["env"] if one["name"] == TRUSTED]
    assert path == "/etc/loyalty/persisted-documents.json"
    [mount] = [one for one in container["volumeMounts"] if one["mountPath"] == "/etc/loyalty"]
    [volume] = [one for one in api.spec["volumes"] if one["name"] == mount["name"]]
    assert mount["readOnly"] is True
    assert volume["configMap"] == {
        "name": "shop-documents",
        "items": [{"key": "persisted-documents.json", "path": "persisted-documents.json"}],
    }
    [deployment] = [one for one in of_kind(found, "Deployment") if one is api.owner]
    assert deployment["spec"]["template"]["metadata"]["annotations"] == {
        "team": "shop", "loyalty/trusted-documents": "1f2e",
    }  # fmt: skip
    others = [one for one in found if one is not deployment]
    assert "shop-documents" not in str(others), "and by its waiting containers as little"
    assert TRUSTED not in str([*others, api.spec["initContainers"]])
    assert "1f2e" not in str(others), "another revision has the API start anew, and nobody else"
    assert TRUSTED not in str(objects("managed"))


def test_external_secrets_bring_every_key() -> None:
    external = named(objects("external"), "ExternalSecret")["spec"]
    keys = {one["secretKey"]: one["remoteRef"]["property"] for one in external["data"]}
    wanted = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))["secrets"]["keys"]
    assert keys == {key: key for key in wanted.values()}
    assert external["secretStoreRef"] == {"name": "vault", "kind": "ClusterSecretStore"}


def test_the_release_of_the_chart_is_that_of_the_platform() -> None:
    project = (CHART.parents[1] / "pyproject.toml").read_text("utf-8")
    chart: Object = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    assert f'version = "{chart["appVersion"]}"' in project


def test_workers_audit_where_they_are_to() -> None:
    for case, hours in {"managed": ["24"], "bare": []}.items():
        [container] = pod(objects(case), "worker").spec["containers"]
        given = {one["name"]: one["value"] for one in container["env"]}
        assert [given[name] for name in given if name == "LOYALTY_AUDIT_HOURS"] == hours
        assert ("LOYALTY_AUDIT_DATABASE_URL_FILE" in given) == bool(hours)
    assert of_kind(objects("managed"), "CronJob") == []
    assert named(objects("external"), "CronJob", "-audit")["spec"]["concurrencyPolicy"] == "Forbid"


def test_logs_and_traces_go_where_they_are_to() -> None:
    for component in ("api", "worker"):
        [container] = pod(objects("external"), component).spec["containers"]
        given = {one["name"]: one["value"] for one in container["env"]}
        assert given["LOYALTY_LOG_FORMAT"] == "json"
        assert given["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://collector.monitoring:4318"
        [container] = pod(objects("bare"), component).spec["containers"]
        names = {one["name"] for one in container["env"]}
        assert "OTEL_EXPORTER_OTLP_ENDPOINT" not in names
