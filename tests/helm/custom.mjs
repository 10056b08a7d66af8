// Do the operators' own models take what the chart makes for them? Objects come as JSON on stdin.
import { readFileSync } from "node:fs";
import { ExternalSecret } from "@kubernetes-models/external-secrets/external-secrets.io/v1/ExternalSecret";
import { HTTPRoute } from "@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute";
import { PrometheusRule } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule";
import { ServiceMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor";

const models = { ExternalSecret, HTTPRoute, PrometheusRule, ServiceMonitor };
let wrong = 0;
for (const object of JSON.parse(readFileSync(0, "utf-8"))) {
  try {
    new models[object.kind](object).validate();
    console.log(`ok    ${object.kind} ${object.metadata.name}`);
  } catch (error) {
    wrong += 1;
    console.log(`wrong ${object.kind} ${object.metadata.name}: ${error.message}`);
  }
}
process.exit(wrong ? 1 : 0);
