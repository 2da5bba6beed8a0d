"""The page of ``stance serve`` in a real browser, or a skip with its reason."""

from __future__ import annotations

import socket
import threading
import time

import pytest
import uvicorn

TOKEN = "a-token-made-for-tests-0123"
ARTICLE = (
    "“Russia has lied to Ukraine and to all of Europe,” said Polish minister Jan Kowal in Warsaw on Monday.\n\n"
    "“We thank the United States for its help,” said Olena Bondar, a teacher in Kyiv."
)
SCRIPT = "<script>document.title = 'taken over'</script><img src=x onerror=\"document.title = 'taken over'\">"


@pytest.fixture(scope="module")
def address(scorer):
    yield from _served(scorer, None)


@pytest.fixture(scope="module")
def guarded_address(scorer):
    yield from _served(scorer, TOKEN)


def _served(scorer, token):
    from stance.serve import ServeOptions, create_app
    from stance.serve.protocol import BoundedHttp

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        app = create_app(scorer, ServeOptions(token=token))
        server = uvicorn.Server(uvicorn.Config(app, http=BoundedHttp, ws="none", log_level="error", access_log=False))
        thread = threading.Thread(target=server.run, args=([sock],))
        thread.start()
        until = time.monotonic() + 60
        while not server.started:
            assert thread.is_alive()
            assert time.monotonic() < until
            time.sleep(0.02)
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
        server.should_exit = True
        thread.join(60)


@pytest.fixture(params=[(1280, "light"), (390, "dark")], ids=["desktop", "phone"])
def page(browser, request):
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 850}, color_scheme=scheme)
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.problems = []
    page.on("console", lambda message: page.problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    yield page
    context.close()


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_paste_an_article_and_see_its_statements(page, address):
    page.goto(address)
    page.locator("textarea").fill(ARTICLE)
    page.get_by_label("Title").fill("A day in Warsaw")
    assert f"{len(ARTICLE)} of at most" in page.inner_text("#count")
    page.get_by_role("button", name="Find statements").click()
    page.wait_for_selector("mark")
    assert page.inner_text("h1") == "A day in Warsaw"
    marks = page.locator("mark")
    assert marks.all_inner_texts() == [
        "Russia has lied to Ukraine and to all of Europe",
        "We thank the United States for its help",
    ]
    assert page.locator("a.who").all_inner_texts()[0].endswith("Jan Kowal")
    assert marks.first.get_attribute("data-tone") in ("against", "mixed")
    page.get_by_text("United States", exact=True).first.click()
    assert marks.nth(1).get_attribute("data-tone") == "favor"
    assert marks.first.get_attribute("data-tone") == marks.first.get_attribute("data-t0")
    assert marks.nth(1).evaluate("node => getComputedStyle(node).backgroundColor") != "rgba(0, 0, 0, 0)"
    assert fits(page)
    assert page.problems == []


def test_by_keyboard_alone(page, address):
    page.goto(f"{address}/?example")
    page.get_by_label("Targets").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.wait_for_selector("mark")
    page.locator("input[name=shown]").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.querySelector('input[name=shown]:checked').value") == "1"
    marks = page.locator("mark").evaluate_all("nodes => nodes.map(n => n.dataset.tone === n.dataset.t1)")
    assert marks
    assert all(marks)
    assert page.problems == []


def test_script_in_an_article_does_not_run(page, address):
    page.goto(address)
    page.locator("textarea").fill(f"“Russia {SCRIPT} lies,” said minister Jan {SCRIPT} Kowal.")
    page.get_by_label("Title").fill(SCRIPT)
    page.get_by_label("Targets").fill(f"Russia, {SCRIPT[:90]}")
    page.get_by_role("button", name="Find statements").click()
    page.wait_for_selector("mark")
    assert "taken over" not in page.title().replace("'taken over'", "")
    assert page.locator("main script, main img").count() == 0
    assert page.inner_text("h1") == SCRIPT
    assert page.problems == []


def test_sign_in_use_and_sign_out(page, guarded_address):
    page.goto(guarded_address)
    assert page.url.endswith("/login")
    page.get_by_label("Token").fill("not the token at all")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("text=That is not the token.")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    page.locator("textarea").fill(ARTICLE)
    page.get_by_role("button", name="Find statements").click()
    page.wait_for_selector("mark")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login")
    page.goto(guarded_address)
    assert page.url.endswith("/login")


def test_another_sites_form_is_refused(page, address, tmp_path):
    (tmp_path / "trap.html").write_text(
        f'<form method="post" action="{address}/"><input name="text" value="a"><button>Win</button></form>'
    )
    page.goto((tmp_path / "trap.html").as_uri())
    page.get_by_role("button", name="Win").click()
    page.wait_for_selector("text=another site")
    assert page.locator("mark").count() == 0


def test_the_reference_loads_nothing_from_elsewhere(page, address):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/docs")
    for summary in page.locator("summary").all():
        summary.click()
    assert page.get_by_text("articles[].text").first.is_visible()
    assert all(url.startswith(address) for url in asked)
    assert fits(page)
    assert page.problems == []
