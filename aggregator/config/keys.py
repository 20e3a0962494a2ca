"""The keys of feeds.toml: name, reader, default, meaning and example of each.

This one description is what `config` reads by, what unknown keys are measured against
and what docs/feeds.md must say. No checking of one key against another may enter.
"""

from __future__ import annotations

from datetime import timedelta

from aggregator.config.tables import REQUIRED, Key, Table
from aggregator.config.values import (
    choice,
    contact,
    count,
    duration,
    entry_title,
    flag,
    headers,
    language,
    line,
    many,
    path,
    query,
    scheduler,
    site_url,
    size,
    tag,
    text,
    topic_id,
    url,
    url_or_nothing,
    zone,
)
from aggregator.languages import languages

ARTICLES = ("none", "doubtful", "all")
KINDS = ("feed", "sitemap", "search")
ENGINES = ("threads", "dask")

_NOTHING = timedelta(0)
_SOMETHING = timedelta(seconds=1)

SITE = Table(
    "site",
    Key(
        "title",
        line,
        REQUIRED,
        "the name of the press review",
        '"Invisibles : la presse en parle"',
    ),
    Key(
        "url",
        site_url,
        REQUIRED,
        "where the published folder will be served; a missing last slash is added",
        '"https://www.example.org/presse/"',
    ),
    Key(
        "id",
        tag,
        None,
        "the root of all published ids (RFC 4151), which `init` writes down; when not"
        " set it is made from `url`: `tag:HOST,2026:` and the path's last part, or the"
        " host. Write it down before you change `url`, and no id changes",
        '"tag:example.org,2026:presse"',
    ),
    Key(
        "subtitle",
        text,
        "",
        "a sentence under the title",
        '"Ce que la presse écrit du film"',
    ),
    Key("author", text, "", "who selects the articles", '"L’équipe du film"'),
    Key("rights", text, "", "a line on rights, in feeds and pages", '"CC0"'),
    Key("legal", text, "", "legal notice, at the foot of pages", '"Éditeur : …"'),
    Key(
        "contact",
        contact,
        "",
        "mail address or page; outlets see it when their feeds are asked, readers"
        " under « Un article manque ? »",
        '"presse@example.org"',
    ),
    Key(
        "language",
        choice(*languages()),
        "fr",
        "of pages and dates: `fr`, `en`, or any that has a translation file",
        '"en"',
    ),
    Key("timezone", zone, "Europe/Paris", "of dates on pages", '"Europe/Brussels"'),
    Key(
        "entry_title",
        entry_title,
        "{title} – {outlet}",
        "title of published entries; `{title}` and `{outlet}` are filled in",
        '"{outlet} : {title}"',
    ),
    Key("feed_size", count(1), 50, "stories in a live feed", "100"),
    Key(
        "excerpt",
        count(0),
        200,
        "characters at most of an outlet's text republished per story; 0 = title only",
        "0",
    ),
    Key(
        "hubs",
        many(url),
        [],
        "WebSub hubs to tell of new stories",
        '["https://hub.example.org/"]',
    ),
    Key(
        "heartbeat",
        url_or_nothing,
        "",
        "address asked after each complete cycle, for a dead-man's switch",
        '"https://ping.example.org/presse"',
    ),
)

STORAGE = Table(
    "storage",
    Key(
        "database",
        path,
        "aggregator.db",
        "the SQLite file; like all paths relative to feeds.toml",
        '"/var/lib/presse/aggregator.db"',
    ),
    Key("output", path, "public", "the published folder", '"/var/www/presse"'),
    Key(
        "desk",
        path,
        "desk",
        "the maintainer's private folder, never inside `output`",
        '"bureau"',
    ),
    Key("curation", path, "curation.toml", "the file of decisions", '"décisions.toml"'),
    Key(
        "history",
        duration(_NOTHING),
        "180d",
        "how long entries that matched nothing are kept, counted from the day they were"
        ' last seen in their feed; "0d" keeps none of their text',
        '"365d"',
    ),
)

POLLING = Table(
    "polling",
    Key(
        "interval",
        duration(_SOMETHING),
        "30m",
        "where a new feed's own rhythm starts; between `fastest` and `slowest`",
        '"1h"',
    ),
    Key(
        "fastest",
        duration(_SOMETHING),
        "10m",
        "the shortest time between two polls of a feed",
        '"15m"',
    ),
    Key(
        "slowest",
        duration(_SOMETHING),
        "24h",
        "the longest time between two polls of a feed",
        '"7d"',
    ),
    Key("concurrency", count(1), 16, "requests under way at once", "8"),
    Key("per_host", count(1), 2, "of them to one host", "1"),
    Key(
        "spacing",
        duration(_NOTHING),
        None,
        "least time between two requests of a batch to one host; when not set, a "
        "second, or none where `allow_private_addresses` is true",
        '"2s"',
    ),
    Key(
        "timeout",
        duration(_SOMETHING),
        "30s",
        "for a whole request, and again for parsing what came",
        '"1m"',
    ),
    Key(
        "max_bytes",
        size,
        "10MB",
        "the largest document read, after decompression",
        '"25MB"',
    ),
    Key("max_entries", count(1), 2000, "entries read of one document", "500"),
    Key(
        "allow_private_addresses",
        flag,
        default=False,
        doc="ask hosts on this machine and the local network too: for tests, intranets",
        example="true",
    ),
)

MATCHING = Table(
    "matching",
    Key(
        "articles",
        choice(*ARTICLES),
        "doubtful",
        'whose article page is read too: "none", "doubtful" ones, "all"',
        '"none"',
    ),
    Key(
        "brake",
        count(0),
        20,
        "an edit or a cycle that would publish or withdraw more stories of a topic"
        " waits for your consent",
        "50",
    ),
)

ENGINE = Table(
    "engine",
    Key(
        "kind",
        choice(*ENGINES),
        "threads",
        'where polls run: "threads" of this machine, or a "dask" cluster'
        " ([scale.md](scale.md))",
        '"dask"',
    ),
    Key(
        "address",
        scheduler,
        "",
        "of the cluster's scheduler",
        '"tcp://scheduler:8786"',
    ),
)

TOPIC = Table(
    "topics[]",
    Key(
        "id",
        topic_id,
        REQUIRED,
        "its folder and address: lower-case letters without accents, digits, hyphens",
        '"documentaire"',
    ),
    Key("title", line, REQUIRED, "its name for readers", '"Le documentaire"'),
    Key("description", text, "", "a sentence on its page", '"La série de 2020"'),
    Key(
        "main",
        flag,
        default=True,
        doc="its stories are on the front page; false = watched, in its own feed only",
        example="false",
    ),
    Key(
        "match",
        many(query),
        [],
        "query lines; an entry that satisfies one is published",
        '["antonio casilli", "diplab"]',
    ),
    Key(
        "review",
        many(query),
        [],
        "query lines; an entry that satisfies only one of these waits for you",
        '["casilli"]',
    ),
    Key(
        "never",
        many(query),
        [],
        "query lines; they hold back what `match` finds and drop what `review` finds",
        "['\"les invisibles\" AND césar']",
    ),
)

OUTLET = Table(
    'outlets."NAME"',
    Key(
        "url",
        many(url),
        REQUIRED,
        "the feed's address, or a list of them",
        '"https://www.slate.fr/rss.xml"',
    ),
    Key(
        "homepage",
        url_or_nothing,
        "",
        "where its readers go; also tells which outlet an article found by a search is"
        " of",
        '"https://www.slate.fr/"',
    ),
    Key("language", language, "", 'of its articles; "" = as the feed says', '"en"'),
    Key(
        "enabled",
        flag,
        default=True,
        doc="false = not polled; its stories stay",
        example="false",
    ),
    Key(
        "kind",
        choice(*KINDS),
        "feed",
        'what the address holds: a "feed", a news "sitemap", or the feed of a "search"',
        '"search"',
    ),
    Key(
        "topics",
        many(topic_id),
        None,
        "the only topics looked for; when not set, all",
        '["auteur"]',
    ),
    Key(
        "always",
        many(topic_id),
        [],
        "all its entries are certain mentions of these topics",
        '["auteur"]',
    ),
    Key(
        "review",
        many(topic_id),
        [],
        "all its entries at least wait under these topics",
        '["auteur"]',
    ),
    Key(
        "articles",
        choice(*ARTICLES),
        None,
        "as `matching.articles`, for this outlet",
        '"all"',
    ),
    Key(
        "interval",
        duration(_SOMETHING),
        None,
        "kept exactly, instead of the feed's own rhythm",
        '"2h"',
    ),
    Key("excerpt", count(0), None, "as `site.excerpt`, for this outlet", "0"),
    Key(
        "timeout",
        duration(_SOMETHING),
        None,
        "as `polling.timeout`, for this outlet",
        '"1m"',
    ),
    Key(
        "headers",
        headers,
        {},
        "sent with each request for its feeds; never published",
        '{ Authorization = "Bearer 0123" }',
    ),
)

SINGLE = (SITE, STORAGE, POLLING, MATCHING, ENGINE)
"""The tables that stand once, under their own name."""

TABLES = (*SINGLE, TOPIC, OUTLET)
