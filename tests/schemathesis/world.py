"""What the requests are about: people, organisations and repositories that exist, made over REST as they are needed.

Whatever a request takes away, or changes so that others would miss it, is made for that request alone.
"""

import base64
import hashlib
import itertools
import json
from datetime import UTC, datetime, timedelta

import requests

API = "/api/v1"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"


class Person:
    """An account that signs in as a browser does: its session may do all that the password may."""

    def __init__(self, world, name, password):
        self.world, self.name, self.password = world, name, password
        self.headers, self.token = None, None

    def sign_in(self):
        """The headers of a new session, and its id."""
        url = self.world.url
        body = {"name": self.name, "password": self.password}
        answer = requests.post(f"{url}{API}/session", json=body, headers={"Origin": url}, timeout=60)
        answer.raise_for_status()
        shown = answer.json()
        cookie = "; ".join(f"{name}={value}" for name, value in answer.cookies.items())
        headers = {"Cookie": cookie, "X-CSRF-Token": shown["csrf_token"], "Origin": url}
        return headers, shown["session"]["id"]

    def ask(self, method, path, body=None):
        """A request that has to succeed, and what it is answered."""
        if self.headers is None:
            self.headers, _ = self.sign_in()
        url = self.world.url + API + path
        answer = requests.request(method, url, json=body, headers=self.headers, timeout=60)
        if not answer.ok:
            raise AssertionError(f"{self.name}: {method} {path} {body}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def bearer(self):
        """The headers of a request with an access token."""
        if self.token is None:
            self.token = self.ask("POST", "/user/tokens", {"name": "all of it"})["secret"]
        return {"Authorization": f"Bearer {self.token}"}

    def registry_token(self, scope):
        """The token that docker would carry to the registry."""
        url = f"{self.world.url}/token?service=berth&scope={scope}"
        answer = requests.get(url, auth=(self.name, self.password), timeout=60)
        answer.raise_for_status()
        return answer.json()["token"]


class World:
    """What there is. `me` is who all requests come from; `twin` is alike, and may lose its sessions and password."""

    def __init__(self, url, admin_password, is_admin):
        self.url, self.count = url, 0
        self.fates = itertools.cycle(["good", "used", "good", "revoked", "good", "nobody's"])
        self.admin = Person(self, "admin", admin_password)
        self.me, self.twin = self.person("me", is_admin), self.person("twin", is_admin)
        self.bob, self.host = self.person("friend"), self.person("host")
        # Who others may do away with.
        self.victim = self.person("victim")
        self.home = self.organisation()
        self.me.ask("PUT", f"/orgs/{self.home}/members/{self.bob.name}", {"role": "member"})
        self.me.ask("POST", f"/orgs/{self.home}/teams", {"name": "builders"})
        self.me.ask("PUT", f"/orgs/{self.home}/teams/builders/members/{self.bob.name}")
        self.me.ask("POST", f"/orgs/{self.home}/robots", {"name": "builder"})
        self.app = self.repository()
        self.digest = self.push(self.app)
        for place in (f"/namespaces/{self.home}", f"/repositories/{self.app}/-"):
            for subject in self.subjects():
                self.me.ask("PUT", f"{place}/grants/{subject}", {"role": "read"})
        self.deleted()
        self.decision = self.refused()

    def fresh(self, kind="n"):
        """A name that nothing has."""
        self.count += 1
        return f"{kind}-{self.count:05}"

    def password(self):
        """A good password that nobody has."""
        return f"unforeseen {self.fresh('otter')} juggles"

    def next_week(self):
        return (datetime.now(UTC) + timedelta(days=7)).isoformat()

    def subjects(self):
        """One of each kind that a grant may be for."""
        return [f"user:{self.bob.name}", f"team:{self.home}/builders", f"robot:{self.home}+builder"]

    def person(self, name, is_admin=False):
        made = Person(self, self.fresh(name), self.password())
        body = {"name": made.name, "password": made.password, "is_admin": is_admin}
        self.admin.ask("POST", "/admin/users", body)
        return made

    def organisation(self, owner=None):
        name = self.fresh("org")
        (owner or self.me).ask("POST", "/orgs", {"name": name})
        return name

    def repository(self):
        name = f"{self.home}/tools/{self.fresh('app')}"
        self.me.ask("PUT", f"/repositories/{name}", {"description": "An app"})
        return name

    def deleted(self):
        name = self.repository()
        self.me.ask("DELETE", f"/repositories/{name}")
        return name

    def member(self):
        self.me.ask("PUT", f"/orgs/{self.home}/members/{self.victim.name}", {"role": "member"})
        return self.victim.name

    def team(self):
        name = self.fresh("team")
        self.me.ask("POST", f"/orgs/{self.home}/teams", {"name": name})
        self.me.ask("PUT", f"/orgs/{self.home}/teams/{name}/members/{self.bob.name}")
        return name

    def robot(self):
        name = self.fresh("robot")
        self.me.ask("POST", f"/orgs/{self.home}/robots", {"name": name})
        return name

    def invitation(self):
        """To our own organisation: its id."""
        return self.me.ask("POST", f"/orgs/{self.home}/invitations", {"role": "member"})["id"]

    def offer(self):
        """To an organisation of somebody else's, each time another: its invitations' path, and the new one."""
        place = f"/orgs/{self.organisation(self.host)}/invitations"
        return place, self.host.ask("POST", place, {"role": "member", "allows_sign_up": True})

    def secret(self):
        """Of an invitation: every other one is good; the rest are used, revoked, and nobody's."""
        place, made = self.offer()
        fate = next(self.fates)
        if fate == "used":
            self.bob.ask("POST", f"/invitations/{made['secret']}/accept")
        elif fate == "revoked":
            self.host.ask("DELETE", f"{place}/{made['id']}")
        elif fate == "nobody's":
            return f"berth_inv_{'x' * 43}"
        return made["secret"]

    def access_token(self):
        return self.me.ask("POST", "/user/tokens", {"name": self.fresh("token")})["id"]

    def granted(self, place):
        subject = f"user:{self.bob.name}"
        self.me.ask("PUT", f"{place}/grants/{subject}", {"role": "read"})
        return subject

    def push(self, repository):
        """Pushes a small image as `v1`: its digest."""
        token = self.me.registry_token(f"repository:{repository}:pull,push")
        base, headers = f"{self.url}/v2/{repository}", {"Authorization": f"Bearer {token}"}

        def send(method, url, **more):
            answer = requests.request(method, url, headers=headers | more.pop("headers", {}), timeout=60, **more)
            answer.raise_for_status()
            return answer

        digest = f"sha256:{hashlib.sha256(b'{}').hexdigest()}"
        place = requests.compat.urljoin(base, send("POST", f"{base}/blobs/uploads/").headers["Location"])
        send("PUT", place, params={"digest": digest}, data=b"{}")
        part = {"mediaType": EMPTY, "digest": digest, "size": 2}
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": part, "layers": [part]}
        body, headers["Content-Type"] = json.dumps(manifest), MANIFEST
        return send("PUT", f"{base}/manifests/v1", data=body).headers["Docker-Content-Digest"]

    def refused(self):
        """The id of a decision to grant less than was asked for."""
        token = self.host.registry_token(f"repository:{self.app}:push")
        claims = token.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["jti"]
