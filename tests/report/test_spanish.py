"""Spanish: nothing is missing, nothing is left in English, nothing says another number.

Where a test here fails after a text was added: texts of the report want their Spanish in
``texts_es.toml``, under the same key; descriptions and other words that come with data or models,
in ``phrases_es.toml``; words of the ledger, in ``claims/ledger_es.toml``, under the claim's id.
"""

from __future__ import annotations

import pkgutil
import re
import tomllib
from dataclasses import replace
from html import unescape
from importlib import import_module
from importlib.resources import files

import pytest

import remitstats.estimands
from remitstats.claims.evidence import Evidence
from remitstats.claims.ledger import BASES
from remitstats.claims.measures import MEASURES
from remitstats.claims.read import read_ledger
from remitstats.claims.rules import Rule
from remitstats.errors import RemitstatsError
from remitstats.panel.load import load_mexico
from remitstats.report import build_report
from remitstats.report.dictionary import read_dictionary
from remitstats.report.phrases import COMMON, Phrases
from remitstats.report.texts import LANGUAGES, Texts

REPORT, CLAIMS = files("remitstats.report"), files("remitstats.claims")
ENGLISH = re.compile(
    r"\b(the|of|and|is|are|was|were|which|with|that|from|by|not|this|for|to|in|at|on|have|its?|"
    r"each|their|than|where|how|what|an|or|per|cent|year|years|share|between|states?|more|less)\b",
    re.IGNORECASE,
)
NAMES = (  # proper names, which stay as they are
    *("Statistical Methods in Medical Research", "Statistics in Medicine", "Bayesian Analysis"),
    *("World Population Prospects", "Penn World Table", "World Development Indicators"),
    *("Current Population Survey", "Maddison Project", "Census Bureau", "Groningen Growth and"),
    *(
        "CC BY",
        "United States Bureau",
        "United States Census Bureau",
        "Development Centre",
        "per cápita",
    ),
    "Migration and Development in Mexico: Toward a New Analytical Approach",
)
SPANISH = Phrases("es")


def english_in(text: str) -> list[str]:
    """The English words of a text, its proper names left aside."""
    for name in NAMES:
        text = text.replace(name, "")
    text = re.sub(r"<code>.*?</code>|<[^>]+>|\{\w+\}", " ", text)
    return ENGLISH.findall(text)


def raw(language: str) -> dict[str, str]:
    texts = Texts(language)
    return {key: texts._texts[key] for key in texts}


def visible(html: str) -> str:
    """What a page shows or reads out, without code and without what is marked as English."""
    body = re.sub(r'<(span|a) [^>]*lang="en"[^>]*>.*?</\1>', " ", html.split("<body>")[1])
    body = re.sub(r"<(code|script|pre)\b.*?</\1>", " ", body, flags=re.DOTALL)
    spoken = re.findall(r'(?:alt|aria-label|title)="([^"]*)"', body)
    return unescape(" ".join([re.sub(r"<[^>]+>", " ", body), *spoken]))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_in_every_catalogue(language):
    wanted = {key for each in LANGUAGES for key in raw(each)}
    assert sorted(wanted - set(raw(language))) == [], f"to be added to texts_{language}.toml"


def test_texts_have_the_same_placeholders_links_and_numbers_in_both_languages():
    english, spanish = raw("en"), raw("es")
    ordinals = {"dependence.reporting_text"}  # 2018Q1 is the first quarter there
    for pattern in (r"\{\w+\}", r"<[^>]+>", r"(?<![\w-])\d+(?:[.,]\d+)*"):
        parts = re.compile(pattern)
        other = [
            key
            for key, text in english.items()
            if sorted(set(parts.findall(text))) != sorted(set(parts.findall(spanish[key])))
        ]
        assert set(other) - ordinals == set(), pattern


def test_catalogues_hold_the_keys_in_one_order():
    assert list(raw("en")) == list(raw("es"))


@pytest.mark.parametrize("name", ["texts", "phrases", "ledger"])
def test_no_spanish_text_is_left_in_english(name):
    source = (CLAIMS if name == "ledger" else REPORT) / f"{name}_es.toml"
    tables = tomllib.loads(source.read_text("utf-8"))
    left = {
        key: english_in(text)
        for table in tables.values()
        for key, text in table.items()
        if english_in(text)
    }
    assert left == {}


@pytest.mark.parametrize("name", ["texts", "phrases", "ledger"])
def test_percentages_have_a_blank_before_the_sign_in_spanish(name):
    source = (CLAIMS if name == "ledger" else REPORT) / f"{name}_es.toml"
    for table in tomllib.loads(source.read_text("utf-8")).values():
        for key, text in table.items():
            assert not re.search(r"[\d}] ?%", text), key


def descriptions() -> list[str]:
    """What estimands say of statistics and parameters, from their modules."""
    found = []
    for each in pkgutil.iter_modules(remitstats.estimands.__path__):
        module = import_module(f"remitstats.estimands.{each.name}")
        for name in ("DESCRIPTIONS", "STATISTICS"):
            for text in getattr(module, name, {}).values():
                found += [text] if isinstance(text, str) else [t for t in text if " " in str(t)]
    return found


def test_every_description_of_a_model_is_known_in_spanish():
    found = descriptions()
    assert len(found) > 80
    assert sorted({text for text in found if SPANISH.find(text) is None}) == []


def test_every_word_of_the_ledger_is_known_in_spanish_and_no_other():
    ledger = read_ledger()
    words = {COMMON: {ledger.source}}
    for rule in ledger.rules.values():
        words[COMMON] |= {rule.name, rule.why}
    for claim in ledger.claims:
        own = {claim.says, claim.section, claim.unit, claim.date, claim.needs}
        own |= {*claim.data, *claim.caveats, *(test.note for test in claim.tests)}
        words[claim.id] = own - {""}
    unknown = {
        (about, text)
        for about, texts in words.items()
        for text in texts
        if SPANISH.find(text, about) is None
    }
    assert unknown == set(), "to be added to claims/ledger_es.toml"
    said = tomllib.loads((CLAIMS / "ledger_es.toml").read_text("utf-8"))
    everything = set().union(*words.values())
    left = {
        (about, text)
        for about, table in said.items()
        for text in table
        if text not in (everything if about == COMMON else words.get(about, set()))
    }
    assert left == set(), "no words of the ledger"


def test_units_and_descriptions_of_what_a_ledger_may_ask_for_are_known_in_spanish():
    words = {each.unit for each in MEASURES.values()} - {""}
    words |= {each.description.rstrip(".") for each in MEASURES.values()}
    assert sorted(text for text in words if SPANISH.find(text) is None) == []
    for basis in BASES:
        assert f"claims.basis_{basis}" in Texts("es")


@pytest.mark.parametrize("kind", ["near", "at least", "at most", "lower bound", "rise", "fall"])
def test_every_reason_that_a_rule_gives_is_known_in_spanish(kind):
    rule = Rule("a rule", kind)
    for value in (-90.0, 1.0, 8.0, 8.5, 9.0, 90.0):
        for width in (0.0, 3.0, 200.0):
            found = Evidence(value, value - width, value + width)
            _, reason = rule.judge(found, (8.0, 8.0))
            assert SPANISH.find(reason) is not None, reason


@pytest.mark.parametrize("kind", ["probability", "share"])
def test_every_reason_of_a_probability_is_known_in_spanish(kind):
    for p in (0.0, 1e-5, 0.02, 0.5, 0.97, 0.99999):
        _, reason = Rule("a rule", kind).judge(Evidence(100 * p, probability=p), None)
        found = SPANISH.find(reason)
        assert found is not None, reason
        assert english_in(found) == []


def test_what_the_shipped_panel_says_of_its_columns_and_its_build_is_known_in_spanish():
    panel = load_mexico()
    words = {str(panel.metadata["title"]), str(panel.metadata["country"])}
    for lines in read_dictionary(panel.metadata["dictionary"]).values():
        for line in lines:
            words |= {line[field] for field in ("definition", "unit", "vintage", "terms")}
    account = panel.table("account")
    words |= {*account["step"].dropna(), *account["note"].dropna()}
    left = [w for w in words if re.search("[a-z]{2}", w) and SPANISH.find(w) is None]
    assert sorted(left) == []


@pytest.mark.parametrize(
    ("english", "spanish"),
    [
        ("2013 to 2025/26", "2013 a 2025/26"),
        ("2013Q1 to 2013Q4", "2013T1 a 2013T4"),
        ("Rising, 2013 to 2020, per cent of municipalities", "Que suben, 2013 a 2020, %"),
        ("bulk ESS of rho is 13", None),
        (
            "take more draws: --draws 14000; as a draw is worth only 0.019 independent ones, first "
            "use stronger priors (--prior NAME=A,B) or --engine nuts --tune 1000 (small panels)",
            "tomar más extracciones: --draws 14000; como una extracción vale solo 0.019",
        ),
        (
            "Its probability is 0.000 (lagged), 1.000 (ordered total): the readings contradict "
            "each other.",
            "Su probabilidad es 0.000 (de ronda a ronda), 1.000 (también dentro de la década): "
            "las lecturas se contradicen entre sí.",
        ),
    ],
)
def test_words_put_together_are_said_in_spanish(english, spanish):
    found = SPANISH.find(english)
    assert found is None if spanish is None else found.startswith(spanish), found


def test_words_without_a_translation_are_marked_with_their_language():
    texts = Texts("es")
    assert texts.said("a word <b>") == '<span lang="en">a word &lt;b&gt;</span>'
    assert texts.said("una palabra", "es") == "una palabra"
    assert texts.said(2.5) == "2.5"
    assert Texts("en").said("a word") == "a word"
    assert Texts("en").said("una palabra", "es") == '<span lang="es">una palabra</span>'


@pytest.fixture(scope="module")
def told(results):
    """Results whose descriptions are those of real ones."""
    words = iter(descriptions() * 9)
    tables = {
        name: table.assign(description=[next(words) for _ in range(len(table))])
        for name, table in (("predictive", results.predictive), ("parameter", results.parameter))
    }
    return replace(results, **tables)


@pytest.fixture(scope="module")
def both(told, grid_panel, tmp_path_factory):
    """A report of made-up results, with claims."""
    out = tmp_path_factory.mktemp("both")
    build_report(told, grid_panel(told), out, ledger=read_ledger())
    return out


def test_no_english_is_left_on_a_spanish_page(both):
    pages = sorted((both / "es").glob("*.html"))
    assert {page.name for page in pages} == {page.name for page in both.glob("*.html")}
    left = {page.name: english_in(visible(page.read_text("utf-8"))) for page in pages}
    assert {name: words for name, words in left.items() if words} == {}


def test_numbers_are_the_same_in_both_languages_and_those_of_the_files(both, walk_numbers):
    assert walk_numbers(both) > 1000
    for page in both.glob("*.html"):
        of = [
            re.findall(r'<data value="[^"]*" data-source="[^"]*"', path.read_text("utf-8"))
            for path in (page, both / "es" / page.name)
        ]
        assert of[0] == of[1], page.name


def test_every_page_names_its_language_and_leads_to_the_other(both):
    for page in both.glob("*.html"):
        english, spanish = (p.read_text("utf-8") for p in (page, both / "es" / page.name))
        assert '<html lang="en"' in english and '<html lang="es"' in spanish
        assert f'<link rel="alternate" hreflang="es" href="es/{page.name}">' in english
        assert f'<link rel="alternate" hreflang="en" href="../{page.name}">' in spanish
        assert f'<a href="es/{page.name}" hreflang="es" lang="es"' in english
        assert f'<a href="../{page.name}" hreflang="en" lang="en"' in spanish


def test_a_spanish_page_leads_only_to_what_is_there(both):
    for page in (both / "es").glob("*.html"):
        html = page.read_text("utf-8")
        for address in re.findall(r'\b(?:href|src)="([^"#]+)[^"]*"', html):
            if not address.startswith("data:"):
                assert (page.parent / address).resolve().is_file(), f"{page.name}: {address}"
        anchors = set(re.findall(r'href="#([^"]+)"', html))
        assert anchors <= set(re.findall(r'\bid="([^"]+)"', html)), page.name


def test_pictures_without_words_are_shared_and_the_others_are_in_the_page_s_language(both):
    for page in (both / "es").glob("*.html"):
        for source in re.findall(r'<img src="../assets/([^"]+)"', page.read_text("utf-8")):
            assert source.startswith("es/"), source


def test_a_report_can_open_in_spanish(simulated, grid_panel, tmp_path):
    results = simulated(waves=(2020,))
    panel = grid_panel(results, shapes=False)
    build_report(results, panel, tmp_path)
    build_report(results, panel, tmp_path, language="es")
    assert '<html lang="es"' in (tmp_path / "index.html").read_text("utf-8")
    assert '<html lang="en"' in (tmp_path / "en/index.html").read_text("utf-8")
    assert not (tmp_path / "es").exists()
    assert 'src="../assets/' in (tmp_path / "en/ranking.html").read_text("utf-8")
    with pytest.raises(RemitstatsError, match="There is no language 'fr'"):
        build_report(results, panel, tmp_path, language="fr")


def test_claims_of_a_ledger_of_one_s_own_are_said_in_its_own_words(results, grid_panel, tmp_path):
    ledger = read_ledger()
    mine = replace(ledger.claims[0], says="Two million households <receive>.")
    build_report(
        results,
        grid_panel(results, shapes=False),
        tmp_path,
        ledger=replace(ledger, claims=(mine, *ledger.claims[1:])),
    )
    html = (tmp_path / "es/claims.html").read_text("utf-8")
    assert '<h3><span lang="en">Two million households &lt;receive&gt;.</span></h3>' in html
    assert "<h3>El ocho por ciento de los hogares de México recibe remesas.</h3>" in html
