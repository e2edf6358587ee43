"""A real Chromium for the page tests: found, or the reason why not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Playwright

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


@cache
def _driver() -> Playwright:
    from playwright.sync_api import sync_playwright

    return sync_playwright().start()


@cache
def _browser() -> Browser:
    """One browser for all tests of a process; each test has a context of its own, which shares nothing with others."""
    return _driver().chromium.launch(executable_path=chromium(), args=_FLAGS)


def close_browser() -> None:
    """The end of a process's browser, if any test opened one."""
    if _browser.cache_info().currsize:
        _browser().close()
    if _driver.cache_info().currsize:
        _driver().stop()


@contextmanager
def window(width: int, height: int, *, inner: tuple[str, ...] = ("data:",)) -> Iterator[tuple[Page, Watch]]:
    """An empty page of a new context, offline; requests, but for addresses that begin so, and complaints are kept."""
    watch = Watch()
    with _browser().new_context(viewport={"width": width, "height": height}, offline=True) as context:
        page = context.new_page()
        page.on("request", lambda r: None if r.url.startswith(inner) else watch.requests.append(r.url))
        page.on("console", lambda m: watch.complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: watch.complaints.append(str(e)))
        page.on("dialog", lambda d: (watch.complaints.append(f"dialog {d.message}"), d.dismiss()))
        yield page, watch


@contextmanager
def opened(path: Path, width: int = 1400, height: int = 900, *, scripted: bool = True) -> Iterator[tuple[Page, Watch]]:
    """The page at a size, offline; requests other than the file itself and everything on the console are kept."""
    with window(width, height) as (page, watch):
        page.goto(path.resolve().as_uri())
        try:
            page.wait_for_selector("html[data-ready=yes]" if scripted else "footer", state="attached", timeout=20_000)
        except Exception as error:
            raise AssertionError(f"the page did not get ready: {watch.complaints}") from error
        watch.requests.remove(path.resolve().as_uri())
        yield page, watch
