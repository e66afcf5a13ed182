// provider.js PORT NAME - an OAuth server (npm oidc-provider) with new keys whose ids begin with NAME.
//
// Its one client gets JWT access tokens by client credentials; the last part of the resource that it
// asks for is the algorithm. Prints one line when it listens.
import { exportJWK, generateKeyPair } from "jose";
import { Provider } from "oidc-provider";

const [port, name] = process.argv.slice(2);
const audience = "https://sluice.example";
const algorithms = ["RS256", "PS256", "ES256", "EdDSA"];

const keys = await Promise.all(
  algorithms.map(async (alg) => {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    return { ...(await exportJWK(privateKey)), alg, use: "sig", kid: `${name}-${alg}` };
  }),
);

const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks: { keys },
  clients: [
    {
      client_id: "eventbridge",
      client_secret: "a secret of forty-two characters, at least",
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
    },
  ],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_context, resource) => ({
        scope: "",
        audience,
        accessTokenTTL: 300,
        accessTokenFormat: "jwt",
        jwt: { sign: { alg: resource.split("/").at(-1) } },
      }),
    },
  },
});

provider.listen(Number(port), "127.0.0.1", () => console.log("listening"));
