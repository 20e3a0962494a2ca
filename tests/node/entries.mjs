// Prints what feedsmith makes of a feed: id, title, date and link of each entry.
import { readFileSync } from "node:fs";
import { parseFeed } from "feedsmith";

const { format, feed } = parseFeed(readFileSync(process.argv[2], "utf8"));
const seconds = (date) => Date.parse(date) / 1000;
const article = (links) => links.find((one) => one.rel === "alternate").href;
const entries = {
  atom: () =>
    feed.entries.map((one) => [
      one.id,
      one.title.value,
      seconds(one.published),
      article(one.links),
    ]),
  rss: () =>
    feed.items.map((one) => [
      one.guid.value,
      one.title,
      seconds(one.pubDate),
      one.link,
    ]),
  json: () =>
    feed.items.map((one) => [
      one.id,
      one.title,
      seconds(one.date_published),
      one.url,
    ]),
};
console.log(JSON.stringify(entries[format]()));
