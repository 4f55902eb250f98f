"""Makes what schemathesis generates about things that exist, and keeps count of what was answered.

What it broke on purpose is sent as it is, but for `fields`; so is one body, query and set of headers in four that it did not.
"""

import atexit
import json
import os
from collections import Counter, defaultdict

import schemathesis
from schemathesis.core.parameters import ParameterLocation
from world import World

# Of a session there is more than one way to be rid of: these requests come from the twin, each in a session of its own.
IN_OWN_SESSION = ("/session", "/user/sessions", "/user/sessions/{id}", "/user/password")
# Where no access token opens anything: one request in three has one elsewhere.
BY_PASSWORD = ("/user/tokens", "/user/tokens/{id}", "/user/tokens/{id}/rotate", "/orgs/{org}/invitations")

world = World(
    os.environ["BERTH_URL"],
    os.environ["BERTH_ADMIN_PASSWORD"],
    is_admin=os.environ["BERTH_ROLE"] == "admin",
)
calls, answers = Counter(), defaultdict(Counter)

# What a word in braces stands for, if nothing below says otherwise.
STANDING = {
    "org": lambda: world.home,
    "namespace": lambda: world.home,
    "user": lambda: world.bob.name,
    "team": lambda: "builders",
    "robot": lambda: "builder",
    "name": lambda: world.app,
    "on": lambda: world.app,
    "subject": lambda: world.subjects()[world.count % 3],
    "digest": lambda: world.digest,
    "secret": lambda: world.secret(),
    "id": lambda: world.access_token(),
}

# What a request takes away is there for it.
OF_ITS_OWN = {
    "DELETE /orgs/{org}": {"org": lambda: world.organisation()},
    "POST /orgs/{org}/rename": {"org": lambda: world.organisation()},
    "DELETE /orgs/{org}/members/{user}": {"user": lambda: world.member()},
    "PUT /orgs/{org}/members/{user}": {"user": lambda: world.member()},
    "PATCH /orgs/{org}/teams/{team}": {"team": lambda: world.team()},
    "DELETE /orgs/{org}/teams/{team}": {"team": lambda: world.team()},
    "DELETE /orgs/{org}/teams/{team}/members/{user}": {"team": lambda: world.team()},
    "PATCH /orgs/{org}/robots/{robot}": {"robot": lambda: world.robot()},
    "DELETE /orgs/{org}/robots/{robot}": {"robot": lambda: world.robot()},
    "POST /orgs/{org}/robots/{robot}/rotate": {"robot": lambda: world.robot()},
    "GET /orgs/{org}/invitations/{id}": {"id": lambda: world.invitation()},
    "DELETE /orgs/{org}/invitations/{id}": {"id": lambda: world.invitation()},
    "PUT /namespaces/{namespace}/networks": {"namespace": lambda: world.organisation()},
    "GET /namespaces/{on}/grants": {"on": lambda: world.home},
    "PUT /namespaces/{on}/grants/{subject}": {"on": lambda: world.home},
    "DELETE /namespaces/{on}/grants/{subject}": {
        "on": lambda: world.home,
        "subject": lambda: world.granted(f"/namespaces/{world.home}"),
    },
    "DELETE /repositories/{on}/-/grants/{subject}": {
        "subject": lambda: world.granted(f"/repositories/{world.app}/-")
    },
    "PUT /repositories/{name}": {"name": lambda: f"{world.home}/{world.fresh('made')}"},
    "DELETE /repositories/{name}": {"name": lambda: world.repository()},
    "POST /repositories/{name}/-/rename": {"name": lambda: world.repository()},
    "POST /repositories/{name}/-/restore": {"name": lambda: world.deleted()},
    "POST /repositories/{name}/-/purge": {"name": lambda: world.deleted()},
    "DELETE /user/sessions/{id}": {"id": lambda: world.twin.sign_in()[1]},
    "PATCH /admin/users/{user}": {"user": lambda: world.victim.name},
    "POST /admin/users/{user}/reset-password": {"user": lambda: world.victim.name},
    "GET /admin/decisions/{id}": {"id": lambda: world.decision},
}

# Where any text, or any of many, is right by the schema and only some are right here.
FITTING = {
    "name": lambda: world.fresh(),
    "password": lambda: world.password(),
    "old_password": lambda: world.twin.password,
    "new_password": lambda: world.password(),
    "expires_at": lambda: world.next_week(),
    "allowed_networks": lambda: ["127.0.0.0/8", "10.0.0.0/8"],
    "limits": lambda: [{"repository": world.app, "role": "write"}],
    "teams": lambda: ["builders"],
    "grants": lambda: [{"subject": subject, "role": "write"} for subject in world.subjects()],
    "invitation": lambda: world.secret(),
    "subject": lambda: world.subjects()[0],
}

# What is replaced as a whole, by who says which one was seen.
WHOLE = ("PUT /namespaces/{namespace}/default-grants", "PUT /namespaces/{namespace}/networks")

FITTING_ALONE = {
    "POST /session": {"name": lambda: world.twin.name, "password": lambda: world.twin.password},
    "POST /repositories/{name}/-/rename": {"name": lambda: f"{world.home}/{world.fresh('renamed')}"},
}


def fitted(values, own):
    """The values, with what is right here in place of what is there."""
    fitting = FITTING | own
    return {
        name: fitting[name]() if name in fitting and value is not None else value for name, value in values.items()
    }


@schemathesis.hook
def before_call(context, case, kwargs):
    label = context.operation.label
    calls[label] += 1
    broken = {place for place, part in case.meta.components.items() if part.mode.is_negative} if case.meta else set()
    if ParameterLocation.PATH not in broken:
        own = OF_ITS_OWN.get(label, {})
        for word in case.path_parameters:
            case.path_parameters[word] = own.get(word, STANDING[word])()
    # The schema is that of a whole answer.
    (case.query or {}).pop("fields", None)
    if calls[label] % 4 != 0:
        if ParameterLocation.BODY not in broken and isinstance(case.body, dict):
            case.body = fitted(case.body, FITTING_ALONE.get(label, {}))
        if ParameterLocation.QUERY not in broken:
            case.query = fitted(case.query, {})
            case.query.pop("cursor", None)
        if ParameterLocation.HEADER not in broken:
            for name in ("If-Match", "If-None-Match", "Idempotency-Key"):
                case.headers.pop(name, None)
            if label in WHOLE:
                case.headers["If-Match"] = "*"
    # Credentials of the right form, and of nobody.
    if ParameterLocation.HEADER not in broken:
        case.headers.pop("Authorization", None)
    if ParameterLocation.COOKIE not in broken:
        case.cookies = {}
    case.headers.update(credentials(label, case.path))


def credentials(label, path):
    if label == "POST /session":
        return {"Origin": world.url}
    if path in IN_OWN_SESSION:
        return world.twin.sign_in()[0]
    if calls[label] % 3 == 0 and path not in BY_PASSWORD:
        return world.me.bearer()
    return world.me.headers


@schemathesis.hook
def after_call(context, case, response):
    label = context.operation.label
    answers[label][response.status_code] += 1
    if label == "PUT /user/password" and response.status_code == 204:
        world.twin.password = case.body["new_password"]


@atexit.register
def write_down():
    with open(os.environ["BERTH_ANSWERS"], "w", encoding="utf-8") as file:
        json.dump(answers, file, indent=1)
