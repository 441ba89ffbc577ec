// Which escape sequences a mask reads, where exactly they begin and end, and what is not one.
import { equal } from "node:assert/strict";
import { test } from "node:test";
import { Mask } from "../../runner/engine/mask.ts";

/** Compares the masked texts of a secret with what is expected. */
function masks(secret: string, texts: Record<string, string>): void {
  const mask = new Mask();
  mask.add(secret);
  for (const [text, masked] of Object.entries(texts)) {
    equal(mask.text(text), masked, `${JSON.stringify(secret)} in ${JSON.stringify(text)}`);
  }
}

test("reads escapes of JSON and programs", () => {
  masks("a/b:cd", { "<a\\/b\\:cd>": "<***>", "a\\/b:ce": "a\\/b:ce", "a\\/b:cd\\": "***\\" });
  masks('q"\\q', { 'q\\"\\\\q': "***", 'q\\"\\q': "***" });
  masks("x\b\t\n\f\r\v\x07\x1b\0y", {
    "<x\\b\\t\\n\\f\\r\\v\\a\\e\\0y>": "<***>",
    "x\\u0008\\u0009\\u000a\\u000C\\u000d\\u{b}\\x07\\U0000001b\\000y": "***",
  });
  masks("wörd", {
    "<w\\u00f6rd>": "<***>",
    "<w\\u00F6rd>": "<***>",
    "<w\\u{f6}rd>": "<***>",
    "<w\\u{0000F6}rd>": "<***>",
    "<w\\u{000000F6}rd>": "<***>",
    "<w\\x{f6}rd>": "<***>",
    "<w\\U000000f6rd>": "<***>",
    "<w\\xc3\\xb6rd>": "<***>",
    "<w\\303\\266rd>": "<***>",
    // Latin-1
    "<w\\xf6rd>": "<***>",
    "<w\\366rd>": "<***>",
    "\\u0077\\u00f6\\u0072\\u0064": "***",
    "\\167\\303\\266\\162\\144": "***",
  });
  masks("a😀b", {
    "<a\\ud83d\\ude00b>": "<***>",
    "<a\\uD83D\\uDE00b>": "<***>",
    "<a\\u{1f600}b>": "<***>",
    "<a\\U0001F600b>": "<***>",
    "<a\\xf0\\x9f\\x98\\x80b>": "<***>",
  });
  // The ends of each range of surrogates.
  masks("a\u{10000}b", { "a\\ud800\\udc00b": "***" });
  masks("a\u{10ffff}b", { "a\\udbff\\udfffb": "***", "a\\u{10ffff}b": "***" });
  masks("a\uffffb", { "a\\uffffb": "***" });
});

test("leaves what only looks like an escape of JSON", () => {
  masks("w\\u00f", { "w\\u00f": "***" });
  masks("a\\u{}b", { "a\\u{}b": "***" });
  masks("aöb", {
    "a\\u00fb": "a\\u00fb",
    "a\\u00gb": "a\\u00gb",
    "a\\u{f6b": "a\\u{f6b",
    "a\\u{f6 }b": "a\\u{f6 }b",
    "a\\u{}b": "a\\u{}b",
    "a\\u{0000000f6}b": "a\\u{0000000f6}b",
    "a\\U00f6b": "a\\U00f6b",
    "a\\xf": "a\\xf",
    "a\\u": "a\\u",
    "a\\": "a\\",
    "a\\öb": "a\\öb",
  });
  // A lone surrogate is a character by itself.
  masks("a\ud83db", { "a\\ud83db": "***" });
  masks("a\ud83d\ue000b", { "a\\ud83d\\ue000b": "***" });
  masks("a\ud83dAb", { "a\\ud83d\\u0041b": "***", "a\\ud83d\\x41b": "***" });
  masks("a\ude00b", { "a\\ude00b": "***" });
  masks("A\ude00b", { "\\u0041\\ude00b": "***" });
  masks("a\ue000\ude00b", { "a\\ue000\\ude00b": "***" });
  masks("a\ud83db", { "a\\U0000d83db": "***" });
  masks("a\ud83d__de00b", { "a\\ud83d__de00b": "***" });
  masks("a\ud83dxude00b", { "a\\ud83dxude00b": "***" });
  masks("a\ud83d\\Ude00b", { "a\\ud83d\\Ude00b": "***" });
  masks('q"\\öb', { 'q\\"\\öb': "***" });
  masks("aö}b", { "a\\u{zf6}b": "a\\u{zf6}b" });
  masks("abc", { "a\\xzzbc": "a\\xzzbc", "a\\uzzzzbc": "a\\uzzzzbc" });
  // A backslash and a letter without meaning.
  masks("a\\qb", { "a\\qb": "***", "a\\\\qb": "***" });
  masks("ab\\778", { "ab\\\\778": "***" });
  masks("a\\400b", { "a\\400b": "***", "a\\\\400b": "***" });
  masks("aAb", { "a\\501b": "a\\501b", "a\\101b": "***" });
  masks("abc", { "\\u{110000}abc": "\\u{110000}***", "\\U00110000abc\\n": "\\U00110000***\\n" });
});

test("reads escapes of URLs", () => {
  masks("wö rd", {
    "<w%C3%B6%20rd>": "<***>",
    "<w%c3%b6+rd>": "<***>",
    "<w%u00f6%20rd>": "<***>",
    "<w%F6%20rd>": "<***>",
    "%77%C3%B6%20%72%64": "***",
    "w%C3%B6%20r%64>>": "***>>",
    "w%C3%B6%2": "w%C3%B6%2",
    "w%C3%B6%2grd": "w%C3%B6%2grd",
    "w%u00f%20rd": "w%u00f%20rd",
  });
  masks("a%zz b", { "a%zz%20b": "***" });
  masks("abc", { "a%zzbc": "a%zzbc", "a%uzzzzbc": "a%uzzzzbc" });
  masks("50%off", {
    "50%off": "***",
    "50%25off": "***",
    "50%2525off": "***",
    "%zz50%25off": "%zz***",
  });
  masks("a\u20acb", { "a%u20acb": "***", "a%u20AC%62": "***" });
});

test("reads entities of HTML", () => {
  masks("a<&>\"'b", {
    "x&a&lt;&amp;&gt;&quot;&apos;b&y": "x&***&y",
    "a&LT;&AMP;&GT;&QUOT;&#39;b": "***",
    "a&#60;&#38;&#62;&#34;&#x27;b": "***",
    "a&#x3c;&#X26;&#x3E;&#0034;&#x0027;b": "***",
    "a&#60&#38&#62&#34&#39b": "***",
    "a&lt;&amp;&gt;&quot;&aposb": "a&lt;&amp;&gt;&quot;&aposb",
  });
  masks("a ä/ÿ€b", { "a&nbsp;ä/ÿ€b": "a&nbsp;ä/ÿ€b", "a &auml;&sol;&yuml;&euro;b": "***" });
  masks("a< b", { "a&lt; b": "***", "a&lt b": "a&lt b" });
  masks("a\tb\nc", { "a&Tab;b&NewLine;c": "***" });
  const named = {
    ...{ nbsp: 160, laquo: 171, shy: 173, frac34: 190, Agrave: 192, Ccedil: 199, Ouml: 214 },
    ...{ times: 215, szlig: 223, ccedil: 231, divide: 247, thorn: 254, yuml: 255 },
    ...{ OElig: 0x152, fnof: 0x192, circ: 0x2c6, mdash: 0x2014, hellip: 0x2026, trade: 0x2122 },
  };
  for (const [name, code] of Object.entries(named)) {
    masks(`ab${String.fromCharCode(code)}cd`, { [`ab&${name};cd`]: "***" });
  }
  masks("a😀b", {
    "a&#128512;b": "***",
    "a&#x1f600;b": "***",
    "a&#0000128512;b": "***",
  });
  masks("a\u{10ffff}b", { "a&#1114111;b": "***", "a&#1114112;b": "a&#1114112;b" });
  masks("aA;b", { "a&##65;b": "a&##65;b", "a&#65;;b": "***" });
  masks("abc", { "a&nosuch;bc": "a&nosuch;bc" });
  masks("A1&sol", { "A1&sol": "***", "A1&amp;sol": "***" });
  masks("a&nosuchname;b", { "a&nosuchname;b": "***", "a&amp;nosuchname;b": "***" });
  masks("abc", { "&#;abc": "&#;***", "&#xabc": "&#x***", "&#x41;abc;": "&#x41;***;" });
});

test("reads quoted-printable", () => {
  masks("wö=rd", {
    "<w=C3=B6=3Drd>": "<***>",
    "<w=c3=b6=3drd>": "<***>",
    "<w=F6=3Drd>": "<***>",
    "<w=C3=\r\n=B6=3Dr=\nd>": "<***>",
    "=77=C3=B6=3D=72=64": "***",
    "<w=C3=B6=3Drd=": "<***=",
    "<w=C3=B6=3Drd=3": "<***=3",
  });
  masks("longer secret", {
    "longer=20secret": "***",
    "longer sec=\nret": "***",
    "longer sec=\r\nret": "***",
    "longer sec=%0D%0Aret": "***",
    "longer sec=ret": "longer sec=ret",
    "longer sec= \nret": "longer sec= \nret",
    "=?UTF-8?Q?longer_secret?=": "=?UTF-8?Q?***?=",
  });
  // A text in lines of its own, of which some are wrapped.
  masks("first line\nsecond line", { "<first=\r\n line\r\nsecond=20line>": "<***>" });
  masks("first line\nsecond line", { "<first=\\r\\n line\\r\\nsecond=20line>": "<***>" });
  masks("pa<ss=word", { "<p>pa&lt;ss=3Dword": "<p>***", "pa%3Css=3Dword": "***" });
  // A single sequence is enough to recognise quoted-printable if it stands for a special character.
  masks("size=10-page", { "size=10-page": "***" });
  masks("size\x10-page", { "size=10-page": "size=10-page", "size=10=2Dpage": "***" });
  masks("sizeA-page", { "size=41-page": "size=41-page", "size=41-page=20": "***=20" });
  masks("xyA-page", { "=xy=41-page": "=xy=41-page" });
  masks("size«page", {
    "size=abpage": "size=abpage",
    "size=ABpage": "***",
    "size=Abpage": "size=Abpage",
  });
  masks("size~page", { "size=7Epage": "***", "size=7epage": "size=7epage" });
});

test("reads a text without its line breaks, with spaces in their place, and without indentation", () => {
  masks("hunter2hunter2", {
    "hunter2\nhunter2": "***",
    "hunter2 %0A hunter2": "***",
    "hunter2\r\nhunter2": "***",
    "hunter2\rhunter2": "***",
    "hunter2\n\n\nhunter2": "***",
    "hunter2 \t\n \t hunter2": "***",
    "hunter2 hunter2": "hunter2 hunter2",
    "hunter2\thunter2": "hunter2\thunter2",
    "\nhunter2hunter2\n": "\n***\n",
    "\n \nh\nunter2\n  hunter2\n \n": "\n \n***\n \n",
  });
  masks("two words of it", {
    "two words\nof it": "***",
    "two\n  words \r\n\tof it": "***",
    "two words of it\n": "***\n",
    "two  words of it\n": "two  words of it\n",
    " two\nwords of it ": " *** ",
  });
  masks("hun  ter2", { "hun \n ter2": "***", "hun %0A ter2": "***" });
  masks("oneword", { "one\nword": "***" });
});

test("reads characters with zero bytes between them", () => {
  masks("hunter2", {
    "<\0h\0u\0n\0t\0e\0r\x002\0>": "<\0***\0>",
    "h\0\0\0u\0\0\0n\0\0\0t\0\0\0e\0\0\0r\0\0\x002": "***",
    "h\\0u\\0n\\0t\\0e\\0r\\x002": "***",
    "h%00u%00n%00t%00e%00r%002": "***",
    "hun\0ter2": "hun\0ter2",
    "hu\0n\0ter2": "***",
    "hu\0nt\0er2": "hu\0nt\0er2",
    "hun\0\0ter2": "***",
  });
});

test("reads a text in each way, also in two that leave the same number of characters", () => {
  masks("x\ny/z", { "x\ny\\/z": "***" });
});

test("reads encodings inside each other in any order", () => {
  masks("a\\b%c&d", {
    "a\\\\b%25c&amp;d": "***",
    "a%5Cb%2525c%26amp;d": "***",
    "a&#92;b&#37;25c&amp;d": "***",
    "a\\u005cb\\u0025c\\u0026d": "***",
    "a%5C%5Cb%25c%26d": "***",
    "a&amp;#92;b%25c&amp;amp;d": "***",
    "a%26%2392%3Bb%25c%26d": "***",
    "a\\u0026#92;b%c&d": "***",
    "a\\\\b%c\\u0026\\u0061mp;d": "***",
  });
  masks("a=öb", {
    "a%3D3D%3DC3%3DB6b": "***",
    "a&#61;3D&#61;F6b": "***",
    "a\\u003d3D=C3=B6b": "***",
  });
});

test("reads six encodings inside each other, and no more", () => {
  let text = "pa%ss";
  for (let i = 0; i < 6; i++) text = encodeURIComponent(text);
  masks("pa%ss", { [text]: "***", [encodeURIComponent(text)]: encodeURIComponent(text) });
  let base64 = "hunter2";
  for (let i = 0; i < 6; i++) base64 = btoa(base64);
  masks("hunter2", { [base64]: "***", [btoa(base64)]: btoa(base64) });
});
