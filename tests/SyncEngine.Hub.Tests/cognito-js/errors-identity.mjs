// Each documented error of the Identity API.
import assert from 'node:assert/strict';
import {
  backend, identityAt, identityInputs, ids, makePool, nowhere, ofIdentityApi, person, shown,
} from './errors-bench.mjs';
import { settings } from './harness.mjs';

const own = 'cognito-identity.amazonaws.com';
const arnOf = (id) => `arn:aws:cognito-identity:us-east-1:123456789012:identitypool/${id}`;
const login = (who) => ({ [settings.provider]: settings.tokens[who] });
const down = { [settings.downProvider]: settings.tokens.ann };
const native = 'Identity';
const pool = await makePool({ IdentityPoolName: native });
const about = { IdentityPoolId: pool };
const guest = async () => (await ids('GetId', about)).IdentityId;
const user = (name, more = {}) => ids('GetOpenIdTokenForDeveloperIdentity', { ...about, Logins: { [backend]: name }, ...more });
const ann = (await ids('GetId', { ...about, Logins: login('ann') })).IdentityId;
const first = await person(pool);
await ids('TagResource', { ResourceArn: arnOf(pool), Tags: { stage: 'test' } });
await ids('SetPrincipalTagAttributeMap', { ...about, IdentityProviderName: 'p', PrincipalTags: { mail: 'email' } });

/** All that the calls of this API could change. */
const state = async () => ({
  pools: shown(await ids('ListIdentityPools', { MaxResults: 60 })),
  pool: shown(await ids('DescribeIdentityPool', about)),
  roles: shown(await ids('GetIdentityPoolRoles', about)),
  identities: shown(await ids('ListIdentities', { ...about, MaxResults: 60 })),
  tags: shown(await ids('ListTagsForResource', { ResourceArn: arnOf(pool) })),
  map: shown(await ids('GetPrincipalTagAttributeMap', { ...about, IdentityProviderName: 'p' })),
});
const provoke = (operation, error, prepare) => ofIdentityApi(operation, error, prepare, state);
const each = (error, inputs, call = ids) => {
  for (const [operation, input] of Object.entries(inputs)) provoke(operation, error, () => () => call(operation, input));
};
const without = (inputs, ...names) => Object.fromEntries(Object.entries(inputs).filter(([name]) => !names.includes(name)));

each('InvalidParameterException', identityInputs({
  pool: 'no id', id: 'no id', arn: 'this-is-no-arn-at-all', name: 'no/slash', most: 61,
}));
each('ResourceNotFoundException', without(
  identityInputs({ pool: nowhere, id: nowhere, arn: arnOf(nowhere) }),
  'CreateIdentityPool', 'ListIdentityPools', 'DeleteIdentities'));
const limited = identityAt(settings.limited);
for (const [operation, input] of Object.entries(identityInputs({ pool, id: ann, arn: arnOf(pool) })))
  ofIdentityApi(operation, 'TooManyRequestsException', () => () => limited(operation, input));

// Who has no developer key is told so as AWS tells it.
each('AccessDeniedException', without(
  identityInputs({ pool, id: ann, arn: arnOf(pool) }),
  'GetId', 'GetCredentialsForIdentity', 'GetOpenIdToken', 'UnlinkIdentity', 'DeleteIdentities',
  'GetOpenIdTokenForDeveloperIdentity', 'MergeDeveloperIdentities'), first.identity);

provoke('GetId', 'NotAuthorizedException', () => () => ids('GetId', { ...about, Logins: { [settings.provider]: 'a.b.c' } }));
provoke('GetCredentialsForIdentity', 'NotAuthorizedException', () => () => ids('GetCredentialsForIdentity', { IdentityId: ann }));
provoke('GetOpenIdToken', 'NotAuthorizedException', () => () => ids('GetOpenIdToken', { IdentityId: ann }));
provoke('UnlinkIdentity', 'NotAuthorizedException', () => () => ids('UnlinkIdentity', {
  IdentityId: ann, Logins: login('bob'), LoginsToRemove: [settings.provider],
}));
provoke('GetOpenIdTokenForDeveloperIdentity', 'NotAuthorizedException', async () => {
  const merged = await guest();
  await ids('GetCredentialsForIdentity', { IdentityId: merged, Logins: login('ann') });
  return () => user('new', { IdentityId: merged });
});
provoke('MergeDeveloperIdentities', 'NotAuthorizedException', async () => {
  const { IdentityId } = await user('shut out');
  await user('let in');
  const digits = IdentityId.split(':')[1].replaceAll('-', '');
  const answer = await fetch(`${settings.endpoint}/admin/pools/${native}/identities/${digits}/disable`, {
    method: 'POST', headers: { Authorization: 'Bearer ' + settings.adminKey },
  });
  assert.equal(answer.status, 200, await answer.text());
  return () => merge('shut out', 'let in');
});
const merge = (from, to) => ids('MergeDeveloperIdentities', {
  ...about, DeveloperProviderName: backend, SourceUserIdentifier: from, DestinationUserIdentifier: to,
});

// Two logins in one call that belong to two identities.
const both = async (who) => {
  const { IdentityId, Token } = await user(who);
  return { IdentityId, Logins: { [own]: Token, ...login('ann') } };
};
provoke('GetId', 'ResourceConflictException', async () => {
  const { Logins } = await both('one');
  return () => ids('GetId', { ...about, Logins });
});
for (const operation of ['GetCredentialsForIdentity', 'GetOpenIdToken', 'UnlinkIdentity']) {
  provoke(operation, 'ResourceConflictException', async () => {
    const input = await both('one');
    if (operation === 'UnlinkIdentity') input.LoginsToRemove = [backend];
    return () => ids(operation, input);
  });
}
provoke('GetOpenIdTokenForDeveloperIdentity', 'ResourceConflictException', async () => {
  const { IdentityId } = await user('two');
  return () => user('two', { IdentityId, Logins: { [backend]: 'two', ...login('ann') } });
});
provoke('GetOpenIdTokenForDeveloperIdentity', 'DeveloperUserAlreadyRegisteredException', async () => {
  await user('taken');
  const other = await guest();
  return () => user('taken', { IdentityId: other });
});
provoke('LookupDeveloperIdentity', 'ResourceConflictException', async () => {
  const { IdentityId } = await user('this');
  await user('that');
  return () => ids('LookupDeveloperIdentity', { ...about, IdentityId, DeveloperUserIdentifier: 'that' });
});
provoke('UnlinkDeveloperIdentity', 'ResourceConflictException', async () => {
  const { IdentityId } = await user('this');
  await user('that');
  return () => ids('UnlinkDeveloperIdentity', {
    ...about, IdentityId, DeveloperProviderName: backend, DeveloperUserIdentifier: 'that',
  });
});
provoke('MergeDeveloperIdentities', 'ResourceConflictException', async () => {
  await user('cara', { Logins: { [backend]: 'cara', ...login('cara') } });
  await user('dan', { Logins: { [backend]: 'dan', ...login('dan') } });
  return () => merge('cara', 'dan');
});
for (const [operation, more] of [['CreateIdentityPool', {}], ['UpdateIdentityPool', about]]) {
  provoke(operation, 'ResourceConflictException', async () => {
    const bare = operation === 'UpdateIdentityPool'
      ? (await ids('CreateIdentityPool', { IdentityPoolName: 'Bare', AllowUnauthenticatedIdentities: true })).IdentityPoolId
      : undefined;
    return () => ids(operation, {
      ...more, IdentityPoolId: bare, IdentityPoolName: 'Clash', AllowUnauthenticatedIdentities: true,
      SupportedLoginProviders: { 'graph.facebook.com': '7346241598935552' }, DeveloperProviderName: 'facebook',
    });
  });
}

// A race between two who change a pool: both read it, one is first. It is run until one comes too late.
for (const operation of ['UpdateIdentityPool', 'SetIdentityPoolRoles']) {
  provoke(operation, 'ConcurrentModificationException', async () => {
    const raced = await makePool();
    const input = identityInputs({ pool: raced, name: 'Errors' })[operation];
    return async () => {
      for (;;) {
        const ends = await Promise.allSettled(Array.from({ length: 4 }, () => ids(operation, input)));
        const late = ends.find((end) => end.status === 'rejected');
        if (late) throw late.reason;
      }
    };
  });
}

const full = identityAt(settings.full);
ofIdentityApi('CreateIdentityPool', 'LimitExceededException',
  () => () => full('CreateIdentityPool', identityInputs({}).CreateIdentityPool));
provoke('GetId', 'LimitExceededException', async () => {
  const { IdentityId } = await user('many');
  for (let i = 2; i <= 20; i++) await user(`many-${i}`, { IdentityId });
  const { Token } = await user('many');
  return () => ids('GetId', { ...about, Logins: { [own]: Token, ...login('eva') } });
});

// A provider that gives no keys.
provoke('GetId', 'ExternalServiceException', () => () => ids('GetId', { ...about, Logins: down }));
for (const operation of ['GetCredentialsForIdentity', 'GetOpenIdToken', 'UnlinkIdentity']) {
  provoke(operation, 'ExternalServiceException', async () => {
    const input = { IdentityId: ann, Logins: { ...login('ann'), ...down } };
    if (operation === 'UnlinkIdentity') input.LoginsToRemove = [settings.provider];
    return () => ids(operation, input);
  });
}
provoke('GetCredentialsForIdentity', 'InvalidIdentityPoolConfigurationException', async () => {
  const bare = await ids('CreateIdentityPool', { IdentityPoolName: 'Bare', AllowUnauthenticatedIdentities: true });
  const { IdentityId } = await ids('GetId', { IdentityPoolId: bare.IdentityPoolId });
  return () => ids('GetCredentialsForIdentity', { IdentityId });
});
