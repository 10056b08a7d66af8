"use strict";

// The page is served with a policy that forbids inline scripts, so everything it does is here.

const WELCOME = `# Welcome. Everything here can be typed by hand or clicked together: the folder icon on the
# left lists every field, the book icon explains it, Ctrl-Space completes, Ctrl-Enter runs.
#
# Who you are is said in the tab "Headers" below, by an API key or an access token:
#   { "authorization": "Bearer ..." }
# What needs it is marked @access in the schema. This one tells which query fields there are:

query Welcome {
  __type(name: "Query") {
    fields {
      name
      description
    }
  }
}
`;

function headersFromLink() {
  // A link may carry a token behind the #, which browsers do not send to any server.
  const token = new URLSearchParams(window.location.hash.slice(1)).get("token");
  if (token === null) {
    return undefined;
  }
  window.history.replaceState(null, "", window.location.pathname);
  return JSON.stringify({ authorization: `Bearer ${token}` }, null, 2);
}

const place = document.getElementById("graphiql");
const url = new URL(place.dataset.endpoint, window.location.href);
const socket = new URL(url);
socket.protocol = url.protocol === "https:" ? "wss:" : "ws:";

ReactDOM.createRoot(place).render(
  React.createElement(GraphiQL, {
    // The headers tab is also sent when a socket is opened.
    fetcher: GraphiQL.createFetcher({ url: url.href, subscriptionUrl: socket.href }),
    plugins: [GraphiQLPluginExplorer.explorerPlugin()],
    defaultQuery: WELCOME,
    defaultEditorToolsVisibility: "headers",
    headers: headersFromLink(),
    isHeadersEditorEnabled: true,
    inputValueDeprecation: true,
  }),
);
