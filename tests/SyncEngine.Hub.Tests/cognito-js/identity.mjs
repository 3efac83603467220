// All 23 operations of the Identity API through the AWS SDK for JavaScript, version 3: success, and refusals
// beside those of errors-identity.mjs.
import assert from 'node:assert/strict';
import * as sdk from '@aws-sdk/client-cognito-identity';
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { calling, check, fails, run, settings } from './harness.mjs';

const { CognitoIdentityClient } = sdk;
const region = 'us-east-1';
const developerKeys = { accessKeyId: settings.keyId, secretAccessKey: settings.secret };
const developer = new CognitoIdentityClient({ region, credentials: developerKeys, maxAttempts: 1 });
const nobody = { accessKeyId: 'AKIDNOBODY', secretAccessKey: 'x' };
const anybody = new CognitoIdentityClient({ region, credentials: nobody, maxAttempts: 1 });
const sts = new STSClient({ region, endpoint: settings.endpoint, credentials: developerKeys, maxAttempts: 1 });
const roles = {
  authenticated: 'arn:aws:iam::123456789012:role/Game_Auth',
  unauthenticated: 'arn:aws:iam::123456789012:role/Game_Unauth',
};
const backend = 'login.game';
const own = 'cognito-identity.amazonaws.com';
const nowhere = 'us-east-1:00000000-0000-0000-0000-00000000dead';

const { call, left, operations } = calling(sdk);
const dev = (name, input) => call(developer, name, input);
const any = (name, input) => call(anybody, name, input);
const logins = (person) => ({ [settings.provider]: settings.tokens[person] });

let pool;
let arn;
async function makePool(more = {}) {
  const made = await dev('CreateIdentityPool', {
    IdentityPoolName: 'Game pool', AllowUnauthenticatedIdentities: true, AllowClassicFlow: true, DeveloperProviderName: backend,
    OpenIdConnectProviderARNs: [settings.providerArn], ...more,
  });
  await dev('SetIdentityPoolRoles', { IdentityPoolId: made.IdentityPoolId, Roles: roles });
  return made.IdentityPoolId;
}
const guest = async () => (await any('GetId', { IdentityPoolId: pool })).IdentityId;
const user = (name, more = {}) => dev('GetOpenIdTokenForDeveloperIdentity', {
  IdentityPoolId: pool, Logins: { [backend]: name }, ...more,
});

check('CreateIdentityPool gives back what was asked for', async () => {
  const made = await dev('CreateIdentityPool', {
    IdentityPoolName: 'Game pool', AllowUnauthenticatedIdentities: true, AllowClassicFlow: true, DeveloperProviderName: backend,
    OpenIdConnectProviderARNs: [settings.providerArn], SupportedLoginProviders: { 'graph.facebook.com': '7346241598935552' },
    IdentityPoolTags: { stage: 'test' },
  });
  assert.match(made.IdentityPoolId, /^us-east-1:[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/);
  assert.equal(made.IdentityPoolName, 'Game pool');
  assert.equal(made.AllowUnauthenticatedIdentities, true);
  assert.equal(made.DeveloperProviderName, backend);
  assert.deepEqual(made.OpenIdConnectProviderARNs, [settings.providerArn]);
  assert.deepEqual(made.SupportedLoginProviders, { 'graph.facebook.com': '7346241598935552' });
  assert.deepEqual(made.IdentityPoolTags, { stage: 'test' });
  arn = `arn:aws:cognito-identity:us-east-1:123456789012:identitypool/${made.IdentityPoolId}`;
  pool = await makePool();
  assert.notEqual(pool, made.IdentityPoolId);
});
check('CreateIdentityPool: refused to an unknown key', async () => {
  await fails(any('CreateIdentityPool', { IdentityPoolName: 'x', AllowUnauthenticatedIdentities: true }),
    'UnrecognizedClientException');
});
check('DescribeIdentityPool shows a pool', async () => {
  const shown = await dev('DescribeIdentityPool', { IdentityPoolId: pool });
  assert.equal(shown.IdentityPoolId, pool);
  assert.equal(shown.DeveloperProviderName, backend);
});
check('ListIdentityPools gives pages', async () => {
  const first = await dev('ListIdentityPools', { MaxResults: 1 });
  assert.equal(first.IdentityPools.length, 1);
  const seen = new Set();
  for (let token; ;) {
    const page = await dev('ListIdentityPools', { MaxResults: 1, NextToken: token });
    page.IdentityPools.forEach((one) => seen.add(one.IdentityPoolId));
    token = page.NextToken;
    if (!token) break;
  }
  assert.ok(seen.size >= 2 && seen.has(pool));
});
check('UpdateIdentityPool changes a pool', async () => {
  const before = await dev('DescribeIdentityPool', { IdentityPoolId: pool });
  const changed = await dev('UpdateIdentityPool', { ...before, $metadata: undefined, IdentityPoolName: 'Renamed' });
  assert.equal(changed.IdentityPoolName, 'Renamed');
  assert.equal((await dev('DescribeIdentityPool', { IdentityPoolId: pool })).IdentityPoolName, 'Renamed');
});
check('UpdateIdentityPool: the developer provider cannot be changed', () => fails(dev('UpdateIdentityPool', {
  IdentityPoolId: pool, IdentityPoolName: 'x', AllowUnauthenticatedIdentities: true, DeveloperProviderName: 'other',
}), 'InvalidParameterException'));
check('DeleteIdentityPool deletes a pool', async () => {
  const made = await makePool();
  await dev('DeleteIdentityPool', { IdentityPoolId: made });
  await fails(dev('DescribeIdentityPool', { IdentityPoolId: made }), 'ResourceNotFoundException');
});
check('SetIdentityPoolRoles and GetIdentityPoolRoles round-trip', async () => {
  const rule = { Claim: 'level', MatchType: 'Equals', Value: '7', RoleARN: 'arn:aws:iam::123456789012:role/Game_Gold' };
  const mapping = { Type: 'Rules', AmbiguousRoleResolution: 'AuthenticatedRole', RulesConfiguration: { Rules: [rule] } };
  await dev('SetIdentityPoolRoles', { IdentityPoolId: pool, Roles: roles, RoleMappings: { [settings.provider]: mapping } });
  const got = await dev('GetIdentityPoolRoles', { IdentityPoolId: pool });
  assert.deepEqual(got.Roles, roles);
  assert.deepEqual(got.RoleMappings, { [settings.provider]: mapping });
  await dev('SetIdentityPoolRoles', { IdentityPoolId: pool, Roles: roles });
});
check('SetIdentityPoolRoles: InvalidParameter', () => fails(dev('SetIdentityPoolRoles', {
  IdentityPoolId: pool, Roles: { authenticated: 'no-arn' },
}), 'InvalidParameterException'));
check('GetId makes a guest', async () => {
  const [one, two] = [await guest(), await guest()];
  assert.match(one, /^us-east-1:/);
  assert.notEqual(one, two);
});
check('GetId gives a login the same identity each time', async () => {
  const first = await any('GetId', { IdentityPoolId: pool, AccountId: '123456789012', Logins: logins('ann') });
  const second = await any('GetId', { IdentityPoolId: pool, Logins: logins('ann') });
  assert.equal(first.IdentityId, second.IdentityId);
});
check('GetId: NotAuthorized where guests are not let in', async () => {
  const closed = await makePool({ AllowUnauthenticatedIdentities: false });
  await fails(any('GetId', { IdentityPoolId: closed }), 'NotAuthorizedException',
    { text: 'Unauthenticated access is not supported for this identity pool.' });
});
check('GetCredentialsForIdentity gives keys for at most an hour', async () => {
  const id = await guest();
  const got = await any('GetCredentialsForIdentity', { IdentityId: id });
  assert.equal(got.IdentityId, id);
  assert.match(got.Credentials.AccessKeyId, /^ASIA/);
  assert.ok(got.Credentials.Expiration instanceof Date);
  const minutes = (got.Credentials.Expiration - Date.now()) / 60_000;
  assert.ok(minutes > 30 && minutes <= 61, `${minutes} minutes`);
});
check('GetCredentialsForIdentity: an identity with a login is no guest any more', async () => {
  const { IdentityId } = await any('GetId', { IdentityPoolId: pool, Logins: logins('ann') });
  await any('GetCredentialsForIdentity', { IdentityId, Logins: logins('ann') });
  await fails(any('GetCredentialsForIdentity', { IdentityId }), 'NotAuthorizedException', { text: /Access to Identity/ });
});
check('GetCredentialsForIdentity: ResourceNotFound', () => fails(
  any('GetCredentialsForIdentity', { IdentityId: nowhere }), 'ResourceNotFoundException',
  { text: `Identity '${nowhere}' not found.` }));
check('GetCredentialsForIdentity links a guest to a new login', async () => {
  const id = await guest();
  const got = await any('GetCredentialsForIdentity', { IdentityId: id, Logins: logins('bob') });
  assert.equal(got.IdentityId, id);
  assert.equal((await any('GetId', { IdentityPoolId: pool, Logins: logins('bob') })).IdentityId, id);
});
check('GetCredentialsForIdentity merges a guest into the login that is known, and disables it', async () => {
  const account = (await any('GetId', { IdentityPoolId: pool, Logins: logins('ann') })).IdentityId;
  const id = await guest();
  assert.equal((await any('GetCredentialsForIdentity', { IdentityId: id, Logins: logins('ann') })).IdentityId, account);
  await fails(any('GetCredentialsForIdentity', { IdentityId: id }), 'NotAuthorizedException', { text: /Access to Identity/ });
});
check('GetOpenIdToken gives a token of ten minutes', async () => {
  const id = await guest();
  const got = await any('GetOpenIdToken', { IdentityId: id });
  const claims = JSON.parse(Buffer.from(got.Token.split('.')[1], 'base64url'));
  assert.equal(got.IdentityId, id);
  assert.equal(claims.sub, id);
  assert.equal(claims.aud, pool);
  assert.ok(Math.abs(claims.exp - claims.iat - 600) <= 1);
});
check('GetOpenIdToken: NotAuthorized for a wrong token', async () => fails(
  any('GetOpenIdToken', { IdentityId: await guest(), Logins: { [settings.provider]: 'x' } }), 'NotAuthorizedException'));
check('AssumeRoleWithWebIdentity: the classic flow ends in keys', async () => {
  const { Token } = await any('GetOpenIdToken', { IdentityId: await guest() });
  const got = await sts.send(new AssumeRoleWithWebIdentityCommand({
    RoleArn: roles.unauthenticated, RoleSessionName: 'web-identity', WebIdentityToken: Token,
  }));
  assert.match(got.Credentials.AccessKeyId, /^ASIA/);
  assert.ok(got.Credentials.Expiration > new Date());
  await assert.rejects(sts.send(new AssumeRoleWithWebIdentityCommand({
    RoleArn: roles.authenticated, RoleSessionName: 'web-identity', WebIdentityToken: Token,
  })));
});
check('GetOpenIdTokenForDeveloperIdentity lets the backend vouch', async () => {
  const first = await user('dora');
  const got = await any('GetCredentialsForIdentity', { IdentityId: first.IdentityId, Logins: { [own]: first.Token } });
  assert.equal(got.IdentityId, first.IdentityId);
  assert.equal((await user('dora')).IdentityId, first.IdentityId);
  const long = await user('dora', { TokenDuration: 86400 });
  const claims = JSON.parse(Buffer.from(long.Token.split('.')[1], 'base64url'));
  assert.ok(Math.abs(claims.exp - claims.iat - 86400) <= 1);
});
check('GetOpenIdTokenForDeveloperIdentity: InvalidParameter', () => fails(
  user('dora', { TokenDuration: 86401 }), 'InvalidParameterException'));
check('LookupDeveloperIdentity finds both ways', async () => {
  const { IdentityId } = await user('finn');
  await user('finn-2', { IdentityId });
  const byUser = await dev('LookupDeveloperIdentity', { IdentityPoolId: pool, DeveloperUserIdentifier: 'finn' });
  assert.equal(byUser.IdentityId, IdentityId);
  const byId = await dev('LookupDeveloperIdentity', { IdentityPoolId: pool, IdentityId });
  assert.deepEqual(byId.DeveloperUserIdentifierList.sort(), ['finn', 'finn-2']);
});
check('MergeDeveloperIdentities makes two users one identity', async () => {
  await user('hans');
  const kept = await user('hana');
  const merged = await dev('MergeDeveloperIdentities', {
    IdentityPoolId: pool, DeveloperProviderName: backend, SourceUserIdentifier: 'hans', DestinationUserIdentifier: 'hana',
  });
  assert.equal(merged.IdentityId, kept.IdentityId);
  assert.equal((await user('hans')).IdentityId, kept.IdentityId);
});
check('UnlinkDeveloperIdentity unlinks a user', async () => {
  const { IdentityId } = await user('ida');
  await user('ivo', { IdentityId });
  await dev('UnlinkDeveloperIdentity', {
    IdentityPoolId: pool, IdentityId, DeveloperProviderName: backend, DeveloperUserIdentifier: 'ivo',
  });
  assert.notEqual((await user('ivo')).IdentityId, IdentityId);
});
check('UnlinkIdentity unlinks the last login, and the identity is out of reach', async () => {
  const { IdentityId } = await any('GetId', { IdentityPoolId: pool, Logins: logins('cara') });
  await any('UnlinkIdentity', { IdentityId, Logins: logins('cara'), LoginsToRemove: [settings.provider] });
  await fails(any('GetCredentialsForIdentity', { IdentityId }), 'NotAuthorizedException');
  assert.notEqual((await any('GetId', { IdentityPoolId: pool, Logins: logins('cara') })).IdentityId, IdentityId);
});
check('UnlinkIdentity: NotAuthorized for a wrong token', async () => {
  const { IdentityId } = await any('GetId', { IdentityPoolId: pool, Logins: logins('ann') });
  await fails(any('UnlinkIdentity', {
    IdentityId, Logins: { [settings.provider]: 'a.b.c' }, LoginsToRemove: [settings.provider],
  }), 'NotAuthorizedException');
});
check('DescribeIdentity shows logins and dates', async () => {
  const { IdentityId } = await any('GetId', { IdentityPoolId: pool, Logins: logins('ann') });
  const shown = await dev('DescribeIdentity', { IdentityId });
  assert.deepEqual(shown.Logins, [settings.provider]);
  assert.ok(shown.CreationDate instanceof Date && shown.LastModifiedDate >= shown.CreationDate);
});
check('ListIdentities gives pages', async () => {
  const seen = [];
  for (let token; ;) {
    const page = await dev('ListIdentities', { IdentityPoolId: pool, MaxResults: 2, NextToken: token, HideDisabled: true });
    seen.push(...page.Identities.map((one) => one.IdentityId));
    token = page.NextToken;
    if (!token) break;
  }
  assert.equal(new Set(seen).size, seen.length);
  assert.ok(seen.length > 5 && seen.includes((await any('GetId', { IdentityPoolId: pool, Logins: logins('ann') })).IdentityId));
});
check('DeleteIdentities deletes, and tells what it could not', async () => {
  const id = await guest();
  const done = await dev('DeleteIdentities', { IdentityIdsToDelete: [id, nowhere] });
  assert.deepEqual(done.UnprocessedIdentityIds.map((one) => one.IdentityId), [nowhere]);
  await fails(any('GetCredentialsForIdentity', { IdentityId: id }), 'ResourceNotFoundException');
});
check('DeleteIdentities: InvalidParameter', () => fails(
  dev('DeleteIdentities', { IdentityIdsToDelete: [] }), 'InvalidParameterException'));
check('TagResource, ListTagsForResource and UntagResource', async () => {
  await dev('TagResource', { ResourceArn: arn, Tags: { team: 'blue' } });
  assert.deepEqual((await dev('ListTagsForResource', { ResourceArn: arn })).Tags, { stage: 'test', team: 'blue' });
  await dev('UntagResource', { ResourceArn: arn, TagKeys: ['stage'] });
  assert.deepEqual((await dev('ListTagsForResource', { ResourceArn: arn })).Tags, { team: 'blue' });
});
check('SetPrincipalTagAttributeMap and GetPrincipalTagAttributeMap round-trip', async () => {
  const map = {
    IdentityPoolId: pool, IdentityProviderName: settings.provider, UseDefaults: false, PrincipalTags: { mail: 'email' },
  };
  const { $metadata, ...set } = await dev('SetPrincipalTagAttributeMap', map);
  assert.deepEqual(set, map);
  const { $metadata: ignored, ...got } = await dev('GetPrincipalTagAttributeMap', {
    IdentityPoolId: pool, IdentityProviderName: settings.provider,
  });
  assert.deepEqual(got, map);
});
check('All 23 operations have succeeded', () => {
  assert.equal(operations.length, 23);
  assert.deepEqual(left(), []);
});

await run();
