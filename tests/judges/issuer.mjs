// A certified authorization server (oidc-provider) on a loopback port: PORT CALLBACK RESOURCE. Everybody agrees to everything.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const [port, callback, resource] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";

const provider = new Provider(issuer, {
  clients: [
    { client_id: "basic", client_secret: "a b+c:d%/" + "x".repeat(32), grant_types: ["authorization_code", "refresh_token", "client_credentials", EXCHANGE], redirect_uris: [callback] },
    { client_id: "post", client_secret: "s".repeat(43), token_endpoint_auth_method: "client_secret_post", grant_types: ["client_credentials"], redirect_uris: [], response_types: [] },
    { client_id: "signed", client_secret: "s".repeat(43), token_endpoint_auth_method: "client_secret_jwt", grant_types: ["client_credentials"], redirect_uris: [], response_types: [] },
    { client_id: "key", token_endpoint_auth_method: "private_key_jwt", jwks: JSON.parse(process.env.JWKS), grant_types: ["client_credentials"], redirect_uris: [], response_types: [] },
  ],
  clientAuthMethods: ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"],
  features: {
    devInteractions: { enabled: false },
    registration: { enabled: true },
    revocation: { enabled: true },
    introspection: { enabled: true },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({ scope: "read write offline_access", audience: resource, accessTokenTTL: Number(process.env.TTL ?? 3600), accessTokenFormat: "opaque" }),
    },
  },
  scopes: ["read", "write", "offline_access", "openid"],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async () => true,
  interactions: { url: (_context, interaction) => `/agree/${interaction.uid}` },
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  cookies: { keys: ["k".repeat(32)] },
  ttl: { AccessToken: Number(process.env.TTL ?? 3600), RefreshToken: 86400, Session: 600, Grant: 86400, Interaction: 600 },
});

provider.on("server_error", (_context, error) => console.error(error));
provider.registerGrantType(EXCHANGE, async (context) => {
  const subject = await provider.AccessToken.find(context.oidc.params.subject_token);
  if (!subject?.isValid) {
    context.status = 400;
    context.body = { error: "invalid_grant" };
    return;
  }
  const token = new provider.AccessToken({ accountId: subject.accountId, client: context.oidc.client, grantId: subject.grantId, gty: "exchange", scope: subject.scope });
  token.resourceServer = new provider.ResourceServer(resource, { scope: "read write offline_access", audience: resource, accessTokenTTL: 60 });
  context.body = { access_token: await token.save(), token_type: "Bearer", expires_in: 60, issued_token_type: "urn:ietf:params:oauth:token-type:access_token" };
}, ["subject_token", "subject_token_type", "audience", "resource", "scope"]);

async function agree(request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  const login = { accountId: request.headers["x-person"] ?? "ann" };
  if (prompt.name === "login") return provider.interactionFinished(request, response, { login });
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  const { missingOIDCScope, missingResourceScopes } = prompt.details;
  grant.addOIDCScope((missingOIDCScope ?? []).join(" "));
  for (const [indicator, scopes] of Object.entries(missingResourceScopes ?? {})) grant.addResourceScope(indicator, scopes.join(" "));
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
}

async function whoami(request, response) {
  const access = (request.headers.authorization ?? "").replace(/^Bearer /, "");
  const token = access && ((await provider.AccessToken.find(access)) ?? (await provider.ClientCredentials.find(access)));
  if (!token?.isValid) {
    response.writeHead(401, { "WWW-Authenticate": `Bearer resource_metadata="${issuer}/.well-known/oauth-protected-resource/api"` });
    return response.end();
  }
  response.writeHead(200, { "Content-Type": "application/json" });
  return response.end(JSON.stringify({ user: token.accountId ?? token.clientId, audience: token.aud }));
}

const callbackOf = provider.callback();
createServer((request, response) => {
  const { pathname } = new URL(request.url, issuer);
  if (pathname.startsWith("/agree/")) return agree(request, response).catch((error) => response.writeHead(500).end(String(error)));
  if (pathname === "/api") return whoami(request, response);
  if (pathname === "/.well-known/oauth-protected-resource/api") {
    response.writeHead(200, { "Content-Type": "application/json" });
    return response.end(JSON.stringify({ resource, authorization_servers: [issuer], scopes_supported: ["read", "offline_access"] }));
  }
  return callbackOf(request, response);
}).listen(Number(port), "127.0.0.1", () => console.log("ready"));
