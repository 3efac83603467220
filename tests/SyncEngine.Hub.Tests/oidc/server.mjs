// A real OpenID Connect provider on 127.0.0.1 for the tests of logins. Prints "ready <issuer>" when it listens.
// Each line on standard input is a command: "rotate" starts the provider anew with other keys on the same address and
// prints "rotated". It ends when its standard input ends, so that it cannot outlive the tests.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

const server = createServer();
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `http://127.0.0.1:${server.address().port}`;
let round = 0;

async function newKey(alg) {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid: `${alg}-${round}` };
}

async function newProvider() {
  round += 1;
  const provider = new Provider(issuer, {
    clients: ['RS256', 'PS256', 'ES256'].map((alg) => ({
      client_id: `app-${alg}`,
      application_type: 'native',
      redirect_uris: ['com.example.app:/callback'],
      response_types: ['code'],
      grant_types: ['authorization_code'],
      token_endpoint_auth_method: 'none',
      id_token_signed_response_alg: alg,
    })),
    jwks: { keys: await Promise.all(['RS256', 'PS256', 'ES256'].map(newKey)) },
    cookies: { keys: ['only for tests'] },
    pkce: { required: () => true },
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256'] },
    features: { devInteractions: { enabled: false } },
    // By default a claim such as email is given by the user-info endpoint only; here the ID token carries it.
    conformIdTokenClaims: false,
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    findAccount: (context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@example.com`, email_verified: true }),
    }),
    interactions: { url: (context, interaction) => `/interaction/${interaction.uid}` },
    async loadExistingGrant(context) {
      const grant = new context.oidc.provider.Grant({
        clientId: context.oidc.client.clientId,
        accountId: context.oidc.session.accountId,
      });
      grant.addOIDCScope('openid email');
      await grant.save();
      return grant;
    },
  });
  const answer = provider.callback();
  return async (request, response) => {
    if (!request.url.startsWith('/interaction/')) return answer(request, response);
    // Whoever is named by login_hint is logged in and consents: the person who would type a password is the test.
    const { params } = await provider.interactionDetails(request, response);
    const result = { login: { accountId: params.login_hint }, consent: {} };
    return provider.interactionFinished(request, response, result);
  };
}

let handle = await newProvider();
server.on('request', (request, response) => {
  Promise.resolve(handle(request, response)).catch((error) => {
    response.statusCode = 500;
    response.end(String(error));
  });
});
console.log(`ready ${issuer}`);
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() !== 'rotate') continue;
  handle = await newProvider();
  console.log('rotated');
}
process.exit(0);
