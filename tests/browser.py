"""A real Chromium for the page tests: found, or the reason why not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import ROOT

PICTURES = ROOT / "test-output"
_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip


def chromium() -> str:
    """Path of a Chromium; without one the test is skipped, and fails under CI=true."""
    names = [os.environ.get("CLEARPLAN_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"]
    for name in filter(None, names):
        if found := shutil.which(name):
            return found
    reason = "no Chromium found; install Debian's chromium or set CLEARPLAN_CHROMIUM"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass
class Watch:
    """What a page did while it was open."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@contextmanager
def opened(
    path: Path, width: int = 1400, height: int = 900, *, scripted: bool = True
) -> Iterator[tuple[object, Watch]]:
    """The page at a size, offline; requests other than the file itself and everything on the console are kept."""
    from playwright.sync_api import sync_playwright

    executable = chromium()
    watch = Watch()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=_FLAGS)
        context = browser.new_context(viewport={"width": width, "height": height}, offline=True)
        page = context.new_page()
        page.on("request", lambda r: watch.requests.append(r.url) if not r.url.startswith("data:") else None)
        page.on("console", lambda m: watch.complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: watch.complaints.append(str(e)))
        page.on("dialog", lambda d: (watch.complaints.append(f"dialog {d.message}"), d.dismiss()))
        page.goto(path.resolve().as_uri())
        try:
            page.wait_for_selector("html[data-ready=yes]" if scripted else "footer", state="attached", timeout=20_000)
        except Exception as error:
            raise AssertionError(f"the page did not get ready: {watch.complaints}") from error
        watch.requests.remove(path.resolve().as_uri())
        yield page, watch
        browser.close()
