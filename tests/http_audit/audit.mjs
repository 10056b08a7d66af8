// The audits of GraphQL over HTTP against one address: a line for each that is not met, then counts.
// Fails where a MUST is not met.
import { serverAudits } from "graphql-http";

const [url, credential] = process.argv.slice(2);
const fetchFn = (address, init = {}) =>
  fetch(address, {
    ...init,
    headers: { ...init.headers, authorization: `Bearer ${credential}` },
  });

const LEVELS = ["MUST", "SHOULD", "MAY"];
const met = Object.fromEntries(LEVELS.map((level) => [level, [0, 0]]));
for (const audit of serverAudits({ url, fetchFn })) {
  const level = LEVELS.find((word) => audit.name.startsWith(word)) ?? "MUST";
  const result = await audit.fn();
  met[level][1] += 1;
  if (result.status === "ok") met[level][0] += 1;
  else console.log(`${result.status}: ${audit.id} ${audit.name}: ${result.reason}`);
}
console.log(LEVELS.map((level) => `${level} ${met[level].join(" of ")}`).join(", "));
process.exitCode = met.MUST[0] === met.MUST[1] && met.MUST[1] > 0 ? 0 : 1;
