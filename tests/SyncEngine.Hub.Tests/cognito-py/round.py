"""The main round and its errors through boto3, unmodified. Prints one line of JSON for each check."""

import datetime
import json
import os
import traceback

import boto3
import botocore.config
import botocore.exceptions

SETTINGS = json.loads(os.environ["COGNITO_TEST"])
# Since 1.28 the environment alone points clients elsewhere; before, each client is told.
ENDPOINT = SETTINGS["endpoint"] if tuple(map(int, boto3.__version__.split(".")[:2])) < (1, 28) else None
ONCE = botocore.config.Config(retries={"max_attempts": 0}, connect_timeout=20, read_timeout=60)
CHECKS = []


def check(name):
    def declare(body):
        CHECKS.append((name, body))
        return body
    return declare


def client(service, key, secret, token=None):
    return boto3.client(
        service, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token,
        endpoint_url=ENDPOINT, config=ONCE)


def fails(code, status, text, call, **arguments):
    try:
        answer = call(**arguments)
    except botocore.exceptions.ClientError as error:
        seen = (error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"])
        assert seen == (code, status), (seen, error.response)
        assert text in error.response["Error"]["Message"], error.response
        # AccessDeniedException is AWS's own and in no service's model.
        if code != "AccessDeniedException":
            assert isinstance(error, getattr(call.__self__.exceptions, code)), type(error)
        return
    raise AssertionError(f"expected {code}, got {answer}")


developer = client("cognito-identity", SETTINGS["keyId"], SETTINGS["secret"])
operator = client("cognito-sync", SETTINGS["keyId"], SETTINGS["secret"])
POOL = SETTINGS["pool"]
NOWHERE = "us-east-1:00000000-0000-0000-0000-00000000dead"


def person():
    identity = developer.get_id(IdentityPoolId=POOL)["IdentityId"]
    given = developer.get_credentials_for_identity(IdentityId=identity)["Credentials"]
    sync = client("cognito-sync", given["AccessKeyId"], given["SecretKey"], given["SessionToken"])
    return sync, {"IdentityPoolId": POOL, "IdentityId": identity}


def update(sync, where, patches, **more):
    session = sync.list_records(**where)["SyncSessionToken"]
    return sync.update_records(SyncSessionToken=session, RecordPatches=patches, **where, **more)


def put(key, value, count=0):
    return {"Op": "replace", "Key": key, "Value": value, "SyncCount": count,
            "DeviceLastModifiedDate": datetime.datetime(2026, 1, 1, 12, 0, 0, tzinfo=datetime.timezone.utc)}


@check("A guest writes and reads")
def _():
    sync, whose = person()
    where = {**whose, "DatasetName": "My:save.1"}
    done = update(sync, where, [put("schlüssel", "wert"), put("empty", "")], ClientContext='{"app":"test"}')
    assert {one["SyncCount"] for one in done["Records"]} == {done["Records"][0]["SyncCount"]}
    got = sync.list_records(**where)
    assert {one["Key"]: one.get("Value") for one in got["Records"]} == {"schlüssel": "wert", "empty": ""}
    assert got["DatasetExists"] and not got["DatasetDeletedAfterRequestedSyncCount"] and got["MergedDatasetNames"] == []
    assert isinstance(got["Records"][0]["LastModifiedDate"], datetime.datetime)
    assert got["Records"][0]["DeviceLastModifiedDate"].timestamp() == 1767268800


@check("A stale write is refused with both counts")
def _():
    sync, whose = person()
    where = {**whose, "DatasetName": "save"}
    count = update(sync, where, [put("k", "a")])["Records"][0]["SyncCount"]
    session = sync.list_records(**where)["SyncSessionToken"]
    fails("ResourceConflictException", 409, f"Current SyncCount for: k is: {count} not: 0", sync.update_records,
          SyncSessionToken=session, RecordPatches=[put("k", "b")], **where)
    update(sync, where, [put("k", "b", count)])


@check("Datasets are listed, described and deleted")
def _():
    sync, whose = person()
    where = {**whose, "DatasetName": "save"}
    update(sync, where, [put("k", "v")])
    assert [one["DatasetName"] for one in sync.list_datasets(**whose)["Datasets"]] == ["save"]
    assert sync.describe_dataset(**where)["Dataset"]["NumRecords"] == 1
    assert sync.describe_identity_usage(**whose)["IdentityUsage"]["DatasetCount"] == 1
    sync.delete_dataset(**where)
    fails("ResourceNotFoundException", 404, "", sync.describe_dataset, **where)


@check("Errors keep their names, statuses and texts")
def _():
    sync, whose = person()
    other, _ = person()
    where = {**whose, "DatasetName": "save"}
    fails("InvalidParameterException", 400, "No such SyncCount: 37 exists for this Dataset",
          sync.list_records, LastSyncCount=37, **where)
    fails("NotAuthorizedException", 403, "", other.list_records, **where)
    fails("AccessDeniedException", 403, "", sync.list_identity_pool_usage)
    fails("InvalidParameterException", 400, "", sync.list_records, **whose, DatasetName="..")
    fails("ResourceNotFoundException", 400, f"Identity '{NOWHERE}' not found.",
          developer.get_credentials_for_identity, IdentityId=NOWHERE)
    wrong = client("cognito-sync", SETTINGS["keyId"], "not-the-secret-not-the-secret")
    try:
        wrong.list_identity_pool_usage()
        raise AssertionError("a wrong signature was taken")
    except botocore.exceptions.ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403, error.response
        assert error.response["Error"]["Code"].startswith("InvalidSignature"), error.response


@check("The keys of a developer reach every identity")
def _():
    sync, whose = person()
    where = {**whose, "DatasetName": "save"}
    update(sync, where, [put("k", "v")])
    assert operator.list_records(**where)["Count"] == 1
    assert any(one["IdentityPoolId"] == POOL for one in developer.list_identity_pools(MaxResults=60)["IdentityPools"])
    seen, more = [], {}
    while True:
        page = developer.list_identities(IdentityPoolId=POOL, MaxResults=10, **more)
        seen += [one["IdentityId"] for one in page["Identities"]]
        if "NextToken" not in page:
            break
        more = {"NextToken": page["NextToken"]}
    assert whose["IdentityId"] in seen and len(seen) == len(set(seen))


for name, body in CHECKS:
    detail = ""
    try:
        body()
    except Exception:  # whatever went wrong belongs to this check alone
        detail = traceback.format_exc()
    print(json.dumps({"check": name, "ok": not detail, "detail": detail}), flush=True)
