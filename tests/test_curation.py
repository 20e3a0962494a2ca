"""curation.toml: what decisions say, and what is refused."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator import curation
from aggregator.config.tables import REQUIRED
from aggregator.model import Action, Addition, ConfigError, Decision, Topic

TOPICS = (Topic("documentaire", "Le documentaire"), Topic("auteur", "L’auteur"))
ZONE = "Europe/Paris"
SLATE = "https://www.slate.fr/story/1?utm_source=x"


def read(folder: Path, content: str) -> tuple[Decision, ...]:
    """Return the decisions of a curation.toml with this content."""
    path = folder / "curation.toml"
    path.write_text(content, encoding="utf-8")
    return curation.read(path, TOPICS, ZONE)


def one(folder: Path, *lines: str) -> Decision:
    """Return the decision that these lines make."""
    (decision,) = read(folder, "\n".join(["[[decision]]", *lines]))
    return decision


def problems(folder: Path, content: str) -> tuple[str, ...]:
    """Return what is wrong with the content."""
    with pytest.raises(ConfigError) as caught:
        read(folder, content)
    assert all(line.isprintable() for line in caught.value.problems)
    return caught.value.problems


def added(published: str, *more: str, title: str = "Un titre") -> tuple[str, ...]:
    """Return the lines of an addition."""
    return (
        'action = "add"',
        f'title = "{title}"',
        'outlet = "Slate"',
        f"published = {published}",
        'topics = "auteur"',
        *more,
    )


# ── what is read ──────────────────────────────────────────────────────────────────────


def test_without_a_file_there_are_no_decisions(tmp_path: Path) -> None:
    """A new folder needs no curation.toml; an empty one decides nothing."""
    assert curation.read(tmp_path / "absent.toml", TOPICS, ZONE) == ()
    assert read(tmp_path, "# rien encore\n") == ()


def test_a_link_into_nowhere_is_no_missing_file(tmp_path: Path) -> None:
    """Decisions on a disk that is not mounted are not forgotten in silence."""
    link = tmp_path / "curation.toml"
    link.symlink_to(tmp_path / "mounted" / "curation.toml")
    with pytest.raises(ConfigError) as caught:
        curation.read(link, TOPICS, ZONE)

    assert caught.value.problems == (
        "the file cannot be read: No such file or directory",
    )


@pytest.mark.parametrize("action", ["keep", "hide", "pin", "unpin"])
def test_a_story_is_named_by_url_or_short_id(tmp_path: Path, action: str) -> None:
    """The target stays as written; `at` becomes UTC; `published` a day of the zone."""
    by_url = one(
        tmp_path,
        f'action = "{action}"',
        f'url = "{SLATE}"',
        "published = 2020-02-14T23:30:00Z",
        'reason = "un autre film"',
        "at = 2026-11-23T10:00:00+01:00",
    )
    by_story = one(tmp_path, f'action = "{action}"', 'story = "k7f3q2zd"')

    assert by_url == Decision(
        Action(action),
        (SLATE,),
        at=datetime(2026, 11, 23, 9, tzinfo=UTC),
        reason="un autre film",
        published="2020-02-15",
    )
    assert by_story == Decision(Action(action), ("k7f3q2zd",))


@pytest.mark.parametrize(
    "name",
    [
        "https://www.slate.fr/é#a",
        "jt-france2-2020-02-14",
        "2020-02-14/JT 20H France 2/saint valentin un collectif",
        "2019-11/60 Millions/trois questions / la suite",
    ],
)
def test_an_id_is_accepted_wherever_a_url_is(tmp_path: Path, name: str) -> None:
    """URL, the id of an addition, or the key made for one that has neither."""
    assert one(tmp_path, 'action = "hide"', f'url = "{name}"').targets == (name,)


def test_retag_note_merge_and_split_say_what_they_need(tmp_path: Path) -> None:
    """Each of the other actions with its own keys."""
    found = read(
        tmp_path,
        f"""
[[decision]]
action = "retag"
url = "{SLATE}"
topics = ["auteur", "documentaire", "auteur"]
[[decision]]
action = "note"
story = "k7f3q2zd"
text = ""
[[decision]]
action = "merge"
urls = ["{SLATE}", "jt-france2"]
[[decision]]
action = "split"
url = "{SLATE}"
published = "2020-02"
""",
    )

    assert found == (
        Decision(Action.RETAG, (SLATE,), topics=("auteur", "documentaire")),
        Decision(Action.NOTE, ("k7f3q2zd",), text=""),
        Decision(Action.MERGE, (SLATE, "jt-france2")),
        Decision(Action.SPLIT, (SLATE,), published="2020-02"),
    )


def test_an_addition_carries_all_that_is_known_of_it(tmp_path: Path) -> None:
    """Every key of `add`; it is known by its URL and its id."""
    decision = one(
        tmp_path,
        *added(
            "2020-02-14",
            f'url = "{SLATE}"',
            'id = "slate-1"',
            'form = "interview"',
            'detail = "n° 5"',
            'author = "Anne Martin"',
            'excerpt = "Une phrase."',
            'archived = "https://archive.fr/1"',
            'reason = "introuvable"',
            title="L’  IA\\nqui vient",
        ),
    )

    assert decision.targets == (SLATE, "slate-1")
    assert decision.reason == "introuvable"
    assert decision.published == ""
    assert decision.topics == ("auteur",)
    assert decision.addition == Addition(
        key=SLATE,
        title="L’ IA qui vient",
        outlet="Slate",
        published_at=datetime(2020, 2, 14, 11, tzinfo=UTC),
        precision="day",
        topics=("auteur",),
        url=SLATE,
        form="interview",
        detail="n° 5",
        author="Anne Martin",
        excerpt="Une phrase.",
        archived="https://archive.fr/1",
    )


@pytest.mark.parametrize(
    ("written", "at", "precision", "day"),
    [
        ("2020-02-14", datetime(2020, 2, 14, 11, tzinfo=UTC), "day", "2020-02-14"),
        ('"2020-07-14"', datetime(2020, 7, 14, 10, tzinfo=UTC), "day", "2020-07-14"),
        ('"2019-11"', datetime(2019, 11, 1, 11, tzinfo=UTC), "month", "2019-11"),
        (
            "2020-02-14T20:00:00",
            datetime(2020, 2, 14, 19, tzinfo=UTC),
            "time",
            "2020-02-14",
        ),
        (
            "2020-02-14T20:00:00-05:00",
            datetime(2020, 2, 15, 1, tzinfo=UTC),
            "time",
            "2020-02-15",
        ),
        (
            '"2020-02-14 20:00:00Z"',
            datetime(2020, 2, 14, 20, tzinfo=UTC),
            "time",
            "2020-02-14",
        ),
    ],
)
def test_dates_are_meant_in_the_zone_of_the_site(
    tmp_path: Path, written: str, at: datetime, precision: str, day: str
) -> None:
    """A date alone is noon there, a month its first day, an offset counts."""
    addition = one(tmp_path, *added(written)).addition

    assert addition is not None
    assert addition.published_at == at
    assert addition.published_at.tzinfo is UTC
    assert addition.precision == precision
    assert addition.key == f"{day}/Slate/un titre"


def test_the_key_of_an_addition_is_its_url_its_id_or_made(tmp_path: Path) -> None:
    """In this order; what is made can be named by other decisions."""
    by_id = one(tmp_path, *added("2020-02-14", 'id = "slate-1"'))
    made = one(tmp_path, *added("2020-02-14", title="L’Été d’Antonio A. Casilli"))
    note = ('action = "note"', f'url = "{made.targets[0]}"', 'text = "x"')

    assert by_id.targets == ("slate-1",)
    assert by_id.addition
    assert by_id.addition.key == "slate-1"
    assert made.targets == ("2020-02-14/Slate/l ete d antonio a. casilli",)
    assert one(tmp_path, *note).targets == made.targets


# ── what is refused ───────────────────────────────────────────────────────────────────


def test_all_problems_are_shown_at_once(tmp_path: Path) -> None:
    """Each with the position of its table and what it does."""
    found = problems(
        tmp_path,
        """
[decisions]
[[decision]]
url = "https://a.fr/"
[[decision]]
action = "hid"
[[decision]]
action = "hide"
url = "slate.fr/story/1"
[[decision]]
action = "retag"
url = "https://a.fr/"
topics = ["auter"]
txt = "x"
""",
    )

    assert found == (
        "decisions: unknown table; did you mean 'decision'?",
        (
            "decision[1]: says no action; write one of "
            "keep, hide, pin, unpin, retag, note, merge, split, add"
        ),
        "decision[2].action: \"hid\" is unknown; did you mean 'hide'?",
        (
            'decision[3] hide.url: "slate.fr/story/1" is no web address; '
            'write "https://slate.fr/story/1"'
        ),
        (
            "decision[4] retag.txt: unknown key; known here: action, reason, at, url, "
            "story, published, topics"
        ),
        "decision[4] retag.topics: unknown topic \"auter\"; did you mean 'auteur'?",
    )


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ('action = "keep"', ' keep: names no story; write url = "…" or story = "…"'),
        (
            'action = "pin"\nurl = "https://a.fr/"\nstory = "k7f3q2zd"',
            " pin: names both url and story; keep one of them",
        ),
        ('action = "hide"\nstory = "K7F"', ' hide.story: "K7F" is no short id; write'),
        ('action = "hide"\nurl = ""', ' hide.url: "" is neither a web address nor an'),
        ('action = "hide"\nurl = "un titre"', '"un titre" is neither a web address'),
        ('action = "hide"\nurl = "ftp://a.fr/"', '"ftp://a.fr/" is no web address'),
        ('action = "hide"\nurl = "a"\nat = "hier"', ' hide.at: "hier" is no date; '),
        ('action = "hide"\nurl = "a"\nat = 10:00:00', "hide.at: 10:00:00 is no date"),
        ('action = "hide"\nurl = "a"\npublished = 0001-01-01', "0001-01-01 is no date"),
        ('action = "hide"\nurl = "a"\npublished = "2019"', '"2019" is no date; write'),
        ('action = "hide"\nurl = "a"\npublished = "0000-01"', '"0000-01" is no date'),
        ('action = "hide"\nurl = "a"\npublished = "1066-01"', '"1066-01" is no date'),
        ('action = "hide"\nurl = "a"\npublished = "2019-13"', '"2019-13" is no date'),
        ('action = "hide"\nurl = "a"\npublished = "2019-02-30"', "is no date; write"),
        ('action = "hide"\nurl = "a"\npublished = 2019', "published: 2019 is no date"),
        ('action = "hide"\nurl = "a"\ntext = "x"', " hide.text: unknown key; known"),
        ('action = "retag"\nurl = "a"', " retag.topics: missing (the topics it belo"),
        ('action = "retag"\nurl = "a"\ntopics = []', "an empty list is too short"),
        ('action = "retag"\nurl = "a"\ntopics = "x"', 'unknown topic "x"; known here:'),
        ('action = "note"\nurl = "a"', " note.text: missing (the note;"),
        ('action = "merge"', " merge.urls: missing (a URL of each story); write"),
        ('action = "merge"\nurls = ["a", "a"]', " merge.urls: a list is too short; w"),
        ('action = "merge"\nurls = ["a", 5]', " merge.urls[2]: 5 is no text"),
        ('action = "split"\nstory = "k7f3q2zd"', " split.story: unknown key; known"),
        ("\n".join(added("2020-02-14", 'form = "télé"')), ' add.form: "télé" is unkn'),
        ("\n".join(added("2020-02-14", 'id = "a b"')), ' add.id: "a b" is no id; wri'),
        ("\n".join(added("2020-02-14", 'url = "a.fr"')), ' add.url: "a.fr" is no web'),
        ("\n".join(added("2020-02-14", title="")), " add.title: is empty; write at"),
    ],
)
def test_each_problem_is_one_line(tmp_path: Path, lines: str, problem: str) -> None:
    """What is wrong with a single decision, and what to write."""
    found = [
        line
        for line in problems(tmp_path, f"[[decision]]\n{lines}")
        if "names no story" not in line or "names no story" in problem
    ]

    assert [problem in line for line in found].count(True) == 1
    assert all(line.startswith("decision[1] ") for line in found)


def test_a_missing_key_of_an_addition_is_named_with_an_example(tmp_path: Path) -> None:
    """`add` needs title, outlet, date and topics."""
    found = problems(tmp_path, '[[decision]]\naction = "add"')

    assert [line.partition(":")[0] for line in found] == [
        "decision[1] add.title",
        "decision[1] add.outlet",
        "decision[1] add.published",
        "decision[1] add.topics",
    ]
    assert found[2].endswith("write published = 2020-02-14")


@pytest.mark.parametrize(
    ("first", "second", "name"),
    [
        (
            f'url = "{SLATE}"',
            'url = "http://slate.fr/story/1/"',
            "http://slate.fr/story/1/",
        ),
        ('id = "slate-1"', 'id = "slate-1"', "slate-1"),
        ("", "", "2020-02-14/Slate/un titre"),
    ],
)
def test_nothing_is_added_twice(
    tmp_path: Path, first: str, second: str, name: str
) -> None:
    """Two additions of one URL, id or made key: the second is named."""
    content = "\n[[decision]]\n".join(
        ["", *("\n".join(added("2020-02-14", more)) for more in (first, second))]
    )
    found = problems(tmp_path, content)

    assert found == (
        (
            f'decision[2] add: "{name}" is added by decision[1] already; '
            "keep one, or give this one an id of its own"
        ),
    )


def test_without_topics_a_topic_is_unknown(tmp_path: Path) -> None:
    """Nothing is proposed where there is nothing to propose."""
    path = tmp_path / "curation.toml"
    path.write_text("\n".join(["[[decision]]", *added("2020-02-14")]))
    with pytest.raises(ConfigError) as caught:
        curation.read(path, (), ZONE)

    assert caught.value.problems == ('decision[1] add.topics: unknown topic "auteur"',)


@pytest.mark.parametrize("content", ["[decision]", "decision = 5", "decision = [5]"])
def test_a_single_table_is_told_from_an_array(tmp_path: Path, content: str) -> None:
    """Single brackets are the commonest slip."""
    (found,) = problems(tmp_path, content)

    assert found.endswith("is no array of tables; write [[decision]]")


@pytest.mark.parametrize(
    ("key", "table"),
    [
        (key, table)
        for table in curation.ACTIONS.values()
        for key in table.keys.values()
    ],
    ids=lambda value: value.name,
)
def test_examples_and_defaults_can_be_read(key, table) -> None:
    """What messages and docs offer as an example is accepted by the reader."""
    example = tomllib.loads(f"x = {key.example}")["x"]

    assert key.read(example) is not None
    assert key.default in (REQUIRED, None) or key.read(key.default) is not None
    assert table.keys[key.name] is key


def test_every_action_can_be_written() -> None:
    """No action of the model is missing from the file's language."""
    assert set(curation.ACTIONS) == set(Action)


VALUES = st.sampled_from(
    ['""', '"a"', '"auteur"', "5", "[]", '["a"]', "{}", "2020-02-14", "10:00:00"]
)


@settings(deadline=None)  # a shared machine is slow now and then
@given(
    action=st.sampled_from(list(Action)),
    data=st.data(),
)
def test_any_value_of_any_key_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, action: Action, data
) -> None:
    """A value of a wrong kind is a problem line, never a traceback."""
    names = sorted(curation.ACTIONS[action].keys.keys() - {"action"})
    lines = [
        f"{name} = {data.draw(VALUES)}" for name in names if data.draw(st.booleans())
    ]
    content = "\n".join(["[[decision]]", f'action = "{action.value}"', *lines])
    found: list[object] = []
    refused: tuple[str, ...] = ()
    try:
        found += read(tmp_path_factory.getbasetemp(), content)
    except ConfigError as exc:
        refused = exc.problems

    assert bool(found) is not bool(refused)
    assert all(line.startswith(f"decision[1] {action.value}") for line in refused)
