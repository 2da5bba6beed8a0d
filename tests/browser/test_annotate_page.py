"""The labelling page in a real headless Chromium, served by the command as a user would start it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from stance.annotate.records import Change
from stance.annotate.store import Store
from stance.corpus import write_corpus
from tests.annotate.conftest import learnable_corpus, make_corpus


class Server:
    """`stance annotate` as a process of its own, on one port through restarts."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.corpus = folder / "corpus"
        self.options = options
        self.port = "0"
        self.process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> None:
        command = [sys.executable, "-m", "stance.cli", "annotate", str(self.corpus), "--order", "corpus"]
        self.process = subprocess.Popen(
            [*command, "--port", self.port, *self.options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        watchdog = threading.Timer(90, self.process.kill)
        watchdog.start()
        said = []
        for line in self.process.stdout:
            said.append(line)
            if line.startswith("Labelling page: "):
                watchdog.cancel()
                self.url = line.split()[2]
                self.port = self.url.rstrip("/").rpartition(":")[2]
                return
        raise AssertionError("".join(said))

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    @property
    def store(self) -> Store:
        return Store(self.corpus.parent / "corpus.annotations.db")


@contextmanager
def _running(folder: Path, corpus, *options: str) -> Iterator[Server]:
    write_corpus(corpus, folder / "corpus")
    server = Server(folder, *options)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def _enter(browser, server: Server, name: str, **options):
    context = browser.new_context(viewport={"width": 1280, "height": 860}, **options)
    page = context.new_page()
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.goto(server.url)
    _name(page, name)
    return page


def _name(page, name: str) -> None:
    page.fill("#name", name)
    page.keyboard.press("Enter")
    page.wait_for_selector(".target.active")


def _item(page) -> str:
    return page.get_attribute("#main", "data-item")


def _label(page, keys: str) -> None:
    """Press one digit per target and Enter, and wait for the next statement."""
    here = _item(page)
    for key in keys:
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    _moved_on(page, here)


def _moved_on(page, here: str) -> None:
    page.wait_for_selector(f"#main:not([data-item='{here}']) .target.active, #main.narrow h1")


def _says(page, text: str) -> None:
    page.wait_for_selector(f"[data-says]:has-text('{text}')", timeout=15_000)


def test_twenty_items_by_keyboard_with_undo_skip_flag_and_note(browser, tmp_path):
    with _running(tmp_path, make_corpus(24)) as server:
        page = _enter(browser, server, "Ada")
        seen = []
        for i in range(20):
            seen.append(_item(page))
            _label(page, ("1234", "4321", "2222", "4144")[i % 4])
        assert seen == [f"s{i}" for i in range(20)]
        store = server.store
        assert dict(store.state("s1", "Ada").labels) == dict(
            zip(store.targets, ("not_addressed", "favor", "neutral", "against"), strict=True)
        )
        assert all(store.state(item, "Ada").status == "done" and store.state(item, "Ada").millis > 0 for item in seen)

        page.keyboard.press("u")  # takes "finish" back, across statements
        page.wait_for_selector("#main[data-item='s19'] .target.active")
        assert store.state("s19", "Ada").status == "open"
        assert page.locator(".target input:checked").count() == 4
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("f")
        page.keyboard.press("n")
        page.keyboard.type("1 word about numbers")
        page.keyboard.press("Escape")
        _label(page, "")
        changed = store.state("s19", "Ada")
        assert (changed.status, changed.flagged, changed.note) == ("done", True, "1 word about numbers")
        here = _item(page)
        page.keyboard.press("s")
        _moved_on(page, here)
        assert store.state(here, "Ada").status == "skipped"
        assert page.problems == []
        assert store.rebuild() == 0


def test_what_is_missing_is_said_and_the_rest_can_be_filled(browser, tmp_path):
    with _running(tmp_path, make_corpus(2)) as server:
        page = _enter(browser, server, "Ada")
        page.keyboard.press("3")
        page.keyboard.press("Enter")
        page.wait_for_selector(".target.missing")
        assert page.locator(".target.missing").count() == 3
        page.keyboard.press("0")
        _label(page, "")
        labels = server.store.state("s0", "Ada").labels
        assert list(labels.values()) == ["favor", "not_addressed", "not_addressed", "not_addressed"]


def test_two_annotators_at_once_never_share_a_screen(browser, tmp_path):
    with _running(tmp_path, make_corpus(8)) as server:
        pages = [_enter(browser, server, name) for name in ("Ada", "Bob")]
        seen = []
        for _ in range(4):
            now = [_item(page) for page in pages]
            assert now[0] != now[1]
            seen += now
            for page in pages:
                _label(page, "4444")
        assert sorted(seen) == sorted(f"s{i}" for i in range(8))
        assert all(page.locator("h1").inner_text() == "Nothing left for you" for page in pages)


def test_a_killed_server_loses_nothing_and_the_page_goes_on(browser, tmp_path):
    with _running(tmp_path, make_corpus(6)) as server:
        page = _enter(browser, server, "Ada")
        _label(page, "1111")
        page.keyboard.press("2")
        _says(page, "Saved.")
        server.kill()
        for key in ("3", "4", "1"):
            page.keyboard.press(key)
        _says(page, "Nothing is lost")
        page.keyboard.press("Enter")
        server.start()
        page.wait_for_selector("#main[data-item='s2'] .target.active", timeout=15_000)
        state = server.store.state("s1", "Ada")
        assert (state.status, list(state.labels.values())) == ("done", ["neutral", "favor", "not_addressed", "against"])
        assert dict(server.store.state("s0", "Ada").labels) == dict.fromkeys(server.store.targets, "against")
        tokens = [row[0] for row in server.store.read("SELECT token FROM entry WHERE token IS NOT NULL")]
        assert len(tokens) == len(set(tokens))
        assert server.store.rebuild() == 0


def test_a_tab_closed_while_the_server_is_away_loses_nothing(browser, tmp_path):
    with _running(tmp_path, make_corpus(3)) as server:
        page = _enter(browser, server, "Ada")
        server.kill()
        page.keyboard.press("1")
        page.keyboard.press("3")
        _says(page, "Nothing is lost")
        context = page.context
        page.close()
        server.start()
        again = context.new_page()
        again.goto(server.url)
        again.wait_for_selector("[data-target='Russia'] input[value='favor'][checked]", state="attached")
        assert list(server.store.state("s0", "Ada").labels.values()) == ["against", "favor"]


def test_presses_wait_for_their_session(browser, tmp_path):
    """Another name in a second tab and a token that is new refuse what is pressed; it is sent once Ada is back."""
    token = tmp_path / "token"
    token.write_text("a-long-enough-token", encoding="ascii")
    with _running(tmp_path, make_corpus(3)) as server:
        page = _enter(browser, server, "Ada")
        other = page.context.new_page()
        other.goto(server.url)
        other.click(".leave button")
        _name(other, "Bob")
        page.keyboard.press("1")
        _says(page, "Nothing is lost: it is sent as soon as Ada enters again.")
        server.kill()
        server.options = ("--token-file", str(token))
        server.start()
        page.keyboard.press("3")
        _says(page, "Not saved: nobody has entered.")
        assert server.store.history() == []
        page.click("[data-says] a")
        page.fill("#token", "a-long-enough-token")
        _name(page, "Ada")
        page.wait_for_selector("[data-target='Russia'] input[value='favor'][checked]", state="attached")
        assert list(server.store.state("s0", "Ada").labels.values()) == ["against", "favor"]
        assert page.problems == []


def test_a_note_needs_no_farewell(browser, tmp_path):
    with _running(tmp_path, make_corpus(3)) as server:
        page = _enter(browser, server, "Ada")
        page.keyboard.press("n")
        page.keyboard.type("first")
        _says(page, "Saved.")
        assert server.store.state("s0", "Ada").note == "first"
        page.keyboard.type(" and second")
        context = page.context
        page.close(run_before_unload=True)
        again = context.new_page()
        again.goto(server.url)
        again.wait_for_selector("textarea:text('first and second')")
        assert server.store.state("s0", "Ada").note == "first and second"


def test_what_was_pressed_on_outdated_labels_is_dropped_but_for_the_note(browser, tmp_path):
    with _running(tmp_path, make_corpus(3)) as server:
        page = _enter(browser, server, "Ada")
        server.kill()
        page.keyboard.press("n")
        page.keyboard.type("kept")
        page.keyboard.press("Escape")
        for key in ("1", "1", "1", "1", "Enter"):
            page.keyboard.press(key)
        _says(page, "Nothing is lost")
        store = server.store
        store.save("s0", "Ada", Change("label", {"Russia": "favor"}))
        server.start()
        _says(page, "What was pressed here is not kept.")
        page.wait_for_selector("#main[data-version='2']", state="attached")  # shown anew with the note
        state = store.state("s0", "Ada")
        assert (state.status, dict(state.labels), state.note) == ("open", {"Russia": "favor"}, "kept")


def test_a_decision_left_over_is_made_where_it_belongs(browser, tmp_path):
    with _running(tmp_path, make_corpus(3)) as server:
        store = server.store
        for name, label in (("Bob", "favor"), ("Cy", "against")):
            store.import_labels([("s0", name, dict.fromkeys(store.targets, label))])
        store.save("s0", store.enter("Ada"), Change("label", {"Russia": "neutral"}))
        page = _enter(browser, server, "Ada")
        page.goto(f"{server.url}adjudicate?item=s0")
        page.wait_for_selector(".target.active")
        server.kill()
        page.keyboard.press("1")
        _says(page, "Nothing is lost")
        context = page.context
        page.close()
        server.start()
        again = context.new_page()
        again.goto(f"{server.url}label?item=s0")
        again.wait_for_function("() => !JSON.parse(localStorage.getItem(Object.keys(localStorage)[0]) || '[]').length")
        assert dict(store.state("s0", "adjudicator:Ada").labels) == {"United States": "against"}
        assert dict(store.state("s0", "Ada").labels) == {"Russia": "neutral"}


def test_an_old_tab_shows_what_the_newer_one_saved(browser, tmp_path):
    with _running(tmp_path, make_corpus(3)) as server:
        page = _enter(browser, server, "Ada")
        other = page.context.new_page()
        other.goto(page.url)
        other.wait_for_selector(".target.active")
        other.keyboard.press("3")
        _says(other, "Saved.")
        page.keyboard.press("1")
        page.wait_for_selector("input[value='favor'][checked]", state="attached", timeout=10_000)
        assert dict(server.store.state("s0", "Ada").labels) == {"United States": "favor"}


def test_a_disagreement_is_settled_by_keyboard(browser, tmp_path):
    with _running(tmp_path, make_corpus(3), "--overlap", "1") as server:
        for name, keys in (("Ada", "1222"), ("Bob", "3222")):
            _label(_enter(browser, server, name), keys)
        page = _enter(browser, server, "Cy")
        page.goto(f"{server.url}adjudicate")
        page.click("main a")
        page.wait_for_selector(".target.active")
        assert page.locator(".giver").all_inner_texts() == ["Ada", "Bob"] + ["Ada", "Bob"] * 3
        assert page.locator(".target input:checked").count() == 3  # what both agree on
        page.keyboard.press("1")
        page.keyboard.press("0")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=0 of 1 disagreements")
        settled = server.store.state("s0", "adjudicator:Cy")
        assert (settled.status, list(settled.labels.values())) == ("done", ["against"] + ["neutral"] * 3)
        page.click("main a")
        page.wait_for_selector(".target.active")
        page.keyboard.press("s")
        page.keyboard.press("f")
        _says(page, "Saved.")
        assert server.store.state("s0", "adjudicator:Cy").status == "done"
        assert server.store.state("s0", "Bob").labels["United States"] == "favor"
        assert page.problems == []


def test_what_the_audit_finds_opens_for_a_second_look(browser, tmp_path):
    full = dict(zip(make_corpus(1).targets, ("not_addressed", "against", "not_addressed", "neutral"), strict=True))
    corpus = make_corpus(2)
    first = corpus.records[0]
    again = replace(first.statement, id="again", text=first.statement.text + "!")
    twins = (
        replace(first, labels=full),
        replace(first, statement=again, document="elsewhere", labels={**full, "Russia": "favor"}),
    )
    with _running(tmp_path, replace(corpus, splits={"train": twins}), "--all") as server:
        page = _enter(browser, server, "Ada")
        page.goto(f"{server.url}audit")
        page.click("main tbody a:right-of(:text('Kremlin'))")
        page.wait_for_selector(".target.active")
        assert _item(page) == "again"
        for key in "4142":
            page.keyboard.press(key)
        page.keyboard.press("Enter")
        page.wait_for_url("**/audit")
        page.wait_for_selector("text=Near-duplicates")
        assert server.store.state("again", "Ada").labels == full
        assert {row.mode for row in server.store.history("again", "Ada")} == {"second-look"}
        page.click("text=Renew it")
        page.wait_for_selector("text=Renew it", state="detached")
        assert page.locator("main tbody tr").count() == 0  # the second look counts
        assert page.problems == []


def test_what_was_labelled_before_a_second_look_is_undone_as_a_rating(browser, tmp_path):
    with _running(tmp_path, make_corpus(3)) as server:
        page = _enter(browser, server, "Ada")
        _label(page, "4142")
        page.goto(f"{server.url}label?item=s1&from=audit")
        page.wait_for_selector(".target.active")
        page.keyboard.press("u")
        page.wait_for_selector("#main[data-item='s0'] .target.active")
        assert page.get_attribute("#main", "data-back") == ""
        _label(page, "1")
        assert {row.mode for row in server.store.history("s0", "Ada")} == {"blind"}
        page.goto(f"{server.url}label?item=s0&from=audit")
        page.wait_for_selector(".target.active")
        page.keyboard.press("2")
        page.keyboard.press("Enter")
        page.wait_for_url("**/audit")
        page.goto(f"{server.url}label?item=s1&from=audit")
        page.wait_for_selector(".target.active")
        page.keyboard.press("u")
        page.wait_for_selector("#main[data-item='s0'][data-back='audit'] .target.active")
        assert page.problems == []


def test_where_nothing_is_left_no_key_throws(browser, tmp_path):
    with _running(tmp_path, make_corpus(1)) as server:
        page = _enter(browser, server, "Ada")
        _label(page, "4444")
        for key in ("g", "?", "s", "n", "1", "Enter"):
            page.keyboard.press(key)
        page.keyboard.press("u")
        page.wait_for_selector("#main[data-item='s0'] .target.active")
        assert page.problems == []


def test_a_browser_that_keeps_nothing_still_sends(browser, tmp_path):
    """Its storage is full or denied: what is pressed is sent, or the page says that it must stay open."""
    with _running(tmp_path, make_corpus(2)) as server:
        page = _enter(browser, server, "Ada")
        page.evaluate("() => { Storage.prototype.setItem = () => { throw new DOMException('full'); }; }")
        page.keyboard.press("1")
        _says(page, "Saved.")
        assert server.store.state("s0", "Ada").labels == {"United States": "against"}
        server.kill()
        page.keyboard.press("3")
        _says(page, "This browser keeps nothing: leave this page open")
        server.start()
        _says(page, "Saved.")
        assert list(server.store.state("s0", "Ada").labels.values()) == ["against", "favor"]
        assert page.problems == []


def test_no_text_of_a_project_runs_as_script(browser, tmp_path):
    """Even where the content security policy is switched off, as an old browser would."""
    evil = "<img src=x onerror=\"window.ran = 1\"><script>window.ran = 1</script>'\"><svg onload='window.ran = 1'>"
    corpus = make_corpus(3)
    target = f"Russia {evil}"
    records = []
    for i, record in enumerate(corpus.records):
        speaker = replace(record.statement.speaker, name=evil, country=evil) if record.statement.speaker else None
        statement = replace(
            record.statement, id=f"s{i}{evil}", text=f"{evil} {i}", before=evil, after=evil, cue=evil, speaker=speaker
        )
        pair = (("against", "favor"), ("favor", "favor"), ("against", "against"))[i]  # a dispute, and twins that differ
        given = {name: {target: label} for name, label in zip(("Ada", "Bob"), pair, strict=True)}
        records.append(replace(record, statement=statement, outlet=evil, labels={}, annotators=given))
    corpus = replace(corpus, name=evil, targets=(target,), splits={"train": tuple(records)})
    guide = tmp_path / "guide.md"
    guide.write_text(f"{evil}\n\n[x](javascript:window.ran=1)", encoding="utf-8")
    with _running(tmp_path, corpus, "--overlap", "1", "--per-item", "3", "--guide", str(guide)) as server:
        store = server.store
        store.save(f"s0{evil}", "Bob", Change("note", text=evil))
        page = _enter(browser, server, "Cy", bypass_csp=True)
        item = quote(f"s0{evil}", safe="")
        pages = ("label?item={}", "label?item={}&from=audit", "adjudicate?item={}", "adjudicate", "progress", "audit")
        for path in (*pages, "agreement"):
            page.goto(f"{server.url}{path.format(item)}")
            page.wait_for_load_state("networkidle")
            assert "onerror=" in page.inner_text("body"), path
            assert page.evaluate("[window.ran, document.querySelectorAll('img, main svg[onload]').length]") == [None, 0]
        page.goto(f"{server.url}label?item={item}")
        page.wait_for_selector(".target.active")
        page.keyboard.press("Enter")  # says the target's name
        _says(page, "Still to label")
        page.keyboard.press("1")
        _says(page, "Saved.")
        assert page.evaluate("window.ran") is None
        assert page.problems == []


def test_the_button_trains_and_shows_the_curve_while_labelling_goes_on(browser, tmp_path, tiny):
    tiny.save_pretrained(tmp_path / "base")
    corpus = learnable_corpus(64)
    with _running(tmp_path, corpus, "--all", "--model", str(tmp_path / "base")) as server:
        page = _enter(browser, server, "Ada")
        page.goto(f"{server.url}train")
        page.click("[data-start]")
        page.wait_for_selector("[data-start]:disabled")
        other = page.context.new_page()
        other.goto(server.url)
        other.wait_for_selector(".target.active")
        _label(other, "1")
        page.wait_for_selector("figure svg", timeout=300_000)
        assert "held-out" in page.inner_text("main")
        assert page.locator("svg .dot").count() == 4
        assert page.locator("tbody tr").count() == 4
        assert (tmp_path / "corpus.annotations.loop" / "model" / "model.safetensors").is_file()
        assert len(server.store.history()) == 2
        assert page.problems == []


def test_a_training_page_of_a_session_that_ended_says_so(browser, tmp_path):
    with _running(tmp_path, make_corpus(2)) as server:
        page = _enter(browser, server, "Ada")
        page.goto(f"{server.url}train")
        page.route("**/api/train", lambda route: route.fulfill(json={"started": True}), times=1)
        page.context.clear_cookies()
        for said in ("The server answers: nobody has entered", "Not started: nobody has entered"):
            page.click("[data-start]")
            page.wait_for_selector(f"[data-log]:has-text('{said}')")
            page.wait_for_selector("[data-start]:enabled")
        assert page.problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone(browser, tmp_path, scheme):
    with _running(tmp_path, make_corpus(2)) as server:
        page = _enter(browser, server, "Ada", color_scheme=scheme, bypass_csp=True)
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.locator(".target").first.locator(".choice").nth(2).click()
        _says(page, "Saved.")
        box = page.locator(".face").first.bounding_box()
        assert box["height"] >= 40  # a finger's width
        assert server.store.state("s0", "Ada").labels == {"United States": "favor"}
