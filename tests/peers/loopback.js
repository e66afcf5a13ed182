// loopback.js - preloaded (node -r) into servers that listen on all addresses: they listen on 127.0.0.1 only.
const { Server } = require("net");
const { listen } = Server.prototype;

Server.prototype.listen = function (...args) {
  const options = typeof args[0] === "object" ? args[0] : { port: Number(args[0]) };
  const done = args.filter((one) => typeof one === "function");
  return listen.call(this, { ...options, host: "127.0.0.1" }, ...done);
};
