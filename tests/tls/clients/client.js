// client.js - GET /healthz: node client.js PORT CA_FILE VERSION (1.2, 1.3 or any); prints TLS version and status.
const fs = require("fs");
const https = require("https");

const [port, ca, version] = process.argv.slice(2);
const options = { host: "localhost", port, path: "/healthz", ca: fs.readFileSync(ca), family: 4 };
if (version !== "any") options.minVersion = options.maxVersion = `TLSv${version}`;
https
  .get(options, (answer) => {
    console.log(answer.socket.getProtocol(), answer.statusCode);
    answer.resume();
  })
  .on("error", (error) => {
    console.log(error.message);
    process.exit(1);
  });
