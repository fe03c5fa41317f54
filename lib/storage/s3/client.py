"""The client of a bucket, and its refusals as sentences."""

from __future__ import annotations

import contextlib
import functools
import re
import threading
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from lib.clock import Clock
from lib.errors import MissingExtra
from lib.storage.port import StorageMisconfigured, StorageUnavailable
from lib.storage.s3.access import S3Access
from lib.storage.s3.address import S3Address
from lib.storage.s3.patience import Patience
from lib.units import seconds_text

if TYPE_CHECKING:
    from boto3.session import Session

RETRIES: Final = 5  # of one request, by the client itself
ANSWER_S: Final = 60.0
_CONNECT_S: Final = 5
_CODE: Final = re.compile(r"[A-Za-z0-9.]{1,64}")
_RIGHTS: Final = "s3:GetObject, s3:PutObject, s3:DeleteObject and, on the bucket, s3:ListBucket"

#: What a code means, and what mends it; all of these are a person's to mend.
_MISCONFIGURED: Final[Mapping[str, str]] = {
    "NoSuchBucket": "there is no bucket {bucket}; make it, or correct STORAGE_URL or IMAGEN_BUCKET",
    "InvalidAccessKeyId": "it does not know the key id; correct AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "the secret does not belong to the key id; correct AWS_SECRET_ACCESS_KEY",
    "ExpiredToken": "the temporary credentials have run out; set fresh ones",
    "InvalidToken": "the session token is not of the key id; set AWS_SESSION_TOKEN with the two others",
    "AuthorizationHeaderMalformed": "the bucket is in another region; correct region= in STORAGE_URL",
    "PermanentRedirect": "the bucket is in another region; correct region= in STORAGE_URL",
    "IllegalLocationConstraintException": "the bucket is in another region; correct region= in STORAGE_URL",
    "Unauthorized": "it does not accept the credentials; correct AWS_ACCESS_KEY_ID and its secret",
    "401": "it does not accept the credentials; correct AWS_ACCESS_KEY_ID and its secret",
    "AccessDenied": f"this key may not do that; let it have {_RIGHTS}",
    "403": f"this key may not do that; let it have {_RIGHTS}",
}
_SKEWED: Final = frozenset({"RequestTimeTooSkewed", "RequestExpired"})
#: With none of S3's words: a web server that does not know such a request, or sends whoever asks elsewhere.
_OF_WEB_SERVERS: Final = frozenset({301, 302, 303, 307, 308, 400, 404, 405, 411, 501})
_FULL: Final = frozenset({"QuotaExceeded", "EntityTooLarge", "InsufficientStorage", "XMinioStorageFull"})


_MAKING: Final = threading.Lock()  # clients may be used by any thread, and be made by one at a time


@functools.cache
def _session() -> Session:
    """One for the process: it reads the service's description, which takes most of the time of a client."""
    from boto3.session import Session

    return Session()


class S3Connection:
    """A client that is made at first use, and asked with sentences for refusals.

    `answer_s` is how long it is waited for an answer; with repeats a call takes twice that at most.

    Threads: any.
    Raises: as each method says.
    """

    def __init__(
        self,
        address: S3Address,
        access: S3Access,
        clock: Clock,
        *,
        retries: int = RETRIES,
        answer_s: float = ANSWER_S,
    ) -> None:
        self.address = address
        self._access, self._clock, self._retries = access, clock, retries
        self._patience = Patience(clock.monotonic, answer_s, self._unavailable)
        self._lock = threading.Lock()
        self._client: Any = None

    @property
    def client(self) -> Any:
        """The client. Raises MissingExtra."""
        with self._lock:
            if self._client is None:
                self._client = self._made()
            return self._client

    def _made(self) -> Any:
        try:
            from botocore.config import Config
        except ImportError as error:
            raise MissingExtra("Storing files in S3", "watcher") from error
        access, address = self._access, self.address
        # Since 2025 the client adds checksums of its own making, which other makers' servers refuse.
        settings: dict[str, Any] = {
            "signature_version": "s3v4",
            "request_checksum_calculation": "when_required",
            "response_checksum_validation": "when_required",
            "s3": {"addressing_style": "path" if address.by_path else "virtual"},
            "retries": {"mode": "standard", "max_attempts": self._retries},
            "connect_timeout": _CONNECT_S,
            "read_timeout": self._patience.answer_s,
            "tcp_keepalive": True,
            "ignore_configured_endpoint_urls": True,  # what is asked stands in STORAGE_URL alone
        }
        with _MAKING, self._sound_surroundings():
            client = _session().client(
                "s3",
                endpoint_url=address.endpoint,
                region_name=address.region,
                aws_access_key_id=access.key_id,
                aws_secret_access_key=access.secret,
                aws_session_token=access.token,
                config=Config(**settings),
            )
        client.meta.events.register("before-call.s3", self._patience.begin)
        client.meta.events.register("before-send.s3", self._patience.need_time)
        if address.endpoint is not None:
            client.meta.events.register("before-call.s3", _stay)
        return client

    @contextlib.contextmanager
    def _sound_surroundings(self) -> Iterator[None]:
        """The client reads files and variables that other programs set. Raises StorageMisconfigured."""
        from botocore.exceptions import BotoCoreError

        try:
            yield
        except (BotoCoreError, ValueError, OSError) as error:
            said = " ".join(str(error).split())[:200].rstrip(".")
            raise StorageMisconfigured(
                f"The store {self.address.url} cannot be spoken to: {said}. Look at the AWS_ variables and "
                "at ~/.aws: what is not of the settings comes from there."
            ) from None

    def told(self, answer: Mapping[str, Any], name: str) -> Any:
        """What every store says in such an answer. Raises StorageUnavailable: this one does not."""
        if name not in answer:
            raise self.no_store()
        return answer[name]

    def no_store(self) -> StorageUnavailable:
        """Something else answers: a proxy, the sign-in page of a network, a web server."""
        return self._unavailable(
            f"{self.address.server} answers, but not as an S3 store does; look whether endpoint= in "
            "STORAGE_URL is right, and what stands between"
        )

    def skew_s(self, answer: Mapping[str, Any]) -> float | None:
        """By how much this machine's clock is ahead of the server's that gave this answer."""
        headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        with contextlib.suppress(KeyError, TypeError, ValueError):
            return self._clock.now() - parsedate_to_datetime(headers["date"]).timestamp()
        return None

    @contextlib.contextmanager
    def refusals(self, *, anyway: bool = False) -> Iterator[None]:
        """Make a refusal of the block a sentence. `anyway`: also of a store that just kept others waiting.

        Raises:
            StorageUnavailable: or StorageMisconfigured, as `lib.storage.port` tells them apart.
        """
        # Asked for only now: a block that raises nothing of boto's never pays for its import.
        client = self.client
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError
        from urllib3.exceptions import HTTPError

        if not anyway:
            self._patience.need_hope()
        began = self._patience.now()
        try:
            yield
        except ClientError as error:
            raise self._noted(began, self._refusal(error.response)) from error
        except ResponseParserError as error:
            raise self._noted(began, self.no_store()) from error
        except (BotoCoreError, HTTPError) as error:  # of a body that is cut, not all are the client's own
            raise self._noted(began, self._no_answer(error)) from error
        except StorageUnavailable as error:  # its time is over
            raise self._noted(began, error) from None
        finally:
            del client

    def _noted(self, began: float, refusal: StorageUnavailable) -> StorageUnavailable:
        self._patience.note(began, refusal)
        return refusal

    def _refusal(self, answer: Mapping[str, Any]) -> StorageUnavailable:
        code = code_of(answer)
        if code in _SKEWED:
            return self._misconfigured(self._clock_is_off(answer))
        if code in _MISCONFIGURED:
            return self._misconfigured(_MISCONFIGURED[code].format(bucket=self.address.bucket))
        if code in _FULL or status_of(answer) == 507:
            return self._unavailable("it is full, or a quota is used up")
        if _is_no_store(answer):
            return self.no_store()
        named = f" ({code})" if code and not code.isdigit() else ""
        return self._unavailable(f"{self.address.server} refuses with status {status_of(answer)}{named}")

    def _clock_is_off(self, answer: Mapping[str, Any]) -> str:
        ahead = self.skew_s(answer)
        by = "" if ahead is None else f" by {seconds_text(abs(ahead))}"
        return (
            f"the clock of this machine is off{by}, so no signature holds; let NTP set it "
            "(timedatectl set-ntp true)"
        )

    def _no_answer(self, error: Exception) -> StorageUnavailable:
        kind = type(error).__name__
        if kind in ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"):
            return self._misconfigured(
                "there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            )
        if kind == "SSLError":
            why = "its certificate is not trusted here, or it speaks no TLS at that port"
            return self._unavailable(f"{self.address.server}: {why}")
        return self._unavailable(
            f"{self.address.server} does not answer ({kind}); look whether it can be reached"
        )

    def _misconfigured(self, why: str) -> StorageMisconfigured:
        return StorageMisconfigured(f"The store {self.address.url} at {self.address.server} refuses: {why}.")

    def _unavailable(self, why: str) -> StorageUnavailable:
        return StorageUnavailable(f"The store {self.address.url} cannot be used now: {why}.")


def _stay(context: Mapping[str, Any], **about: Any) -> None:
    """Let the client follow no redirection: Amazon's lead to a bucket's region, which no other store has.

    Of a page that redirects everything it would ask for the region, again and again, until the stack is full.
    """
    redirection = context.get("s3_redirect")
    if isinstance(redirection, dict):
        redirection["redirected"] = True


def code_of(answer: Mapping[str, Any]) -> str:
    """The code of a refusal, "" for none; never other words of the server, which may repeat what was sent."""
    code = str(answer.get("Error", {}).get("Code", ""))
    return code if _CODE.fullmatch(code) else ""


def _is_no_store(answer: Mapping[str, Any]) -> bool:
    """Whether a web server refuses: by a status alone, without the code and headers that stores send."""
    code, about = code_of(answer), answer.get("ResponseMetadata", {})
    if (code and not code.isdigit()) or status_of(answer) not in _OF_WEB_SERVERS:
        return False
    return not any(str(name).lower().startswith("x-amz-") for name in about.get("HTTPHeaders", {}))


def status_of(answer: Mapping[str, Any]) -> int:
    """Its HTTP status; 0 where there is none."""
    return int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
