"""Challenge packs: a run without its truth, questions, and marks."""

from __future__ import annotations

import json
import re
import shutil
import struct
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

import billing_sim
from billing_sim import InputError, QueryError, RunError
from billing_sim.challenges.grading import grade, questions_of
from billing_sim.challenges.key import Key, read_key
from billing_sim.challenges.making import LONGEST_GUESS, Challenge, new_challenge
from billing_sim.challenges.other_worlds import collected, incidents_of, without_retries
from billing_sim.challenges.questions import QUESTIONS, SHARE, Question
from billing_sim.challenges.reading import Answer
from billing_sim.challenges.scoring import interval_score, points_for
from billing_sim.challenges.truths import true_answers
from billing_sim.challenges.variations import Lot
from billing_sim.comparison.sides import two_runs
from billing_sim.events import TRUTH_COLUMNS
from billing_sim.identity import world_of
from billing_sim.metrics.source import RunFolder
from billing_sim.scenario import load
from billing_sim.simulate import simulate
from billing_sim.world.compile import compile_world
from tests.cli_caller import call

__all__ = ["call"]
SEED, MEMBERS = 3_141_592_653_589_793_238, 2_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Challenge:
    """A small pack with its key beside it."""
    return new_challenge(out=tmp_path_factory.mktemp("challenge") / "riddle", seed=SEED, members=MEMBERS)


@pytest.fixture(scope="module")
def key(made: Challenge) -> Key:
    """What the pack withholds."""
    return read_key(made.key)


@pytest.fixture(scope="module")
def whole(key: Key, tmp_path_factory: pytest.TempPathFactory) -> billing_sim.Run:
    """The run behind the pack, made again from its key."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "scenario.yaml").write_text(key.scenario, encoding="utf-8")
    out = folder / "run"
    simulate(folder / "scenario.yaml", seed=key.seed, members=key.members, out=out, log="all")
    return billing_sim.open(out)


def write(folder: Path, text: str, name: str = "answers.yaml") -> Path:
    """A file of answers."""
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_both_can_be_had_from_the_package():
    """As with every other study."""
    assert (billing_sim.grade, billing_sim.new_challenge) == (grade, new_challenge)


# What a pack holds, and what it does not.


def files_of(made: Challenge) -> list[Path]:
    """Every file of a pack."""
    return sorted(it for it in made.folder.rglob("*") if it.is_file())


def test_a_pack_holds_what_an_analyst_would_have(made, whole):
    """Log, facts and world events to the byte, a manifest and the questions: nothing else, and no truth."""
    kept = {it.relative_to(made.folder).as_posix() for it in files_of(made)}
    names = {str(it["path"]) for it in whole.manifest.result.segments}
    public = {name for name in names if name.startswith(("events/", "facts/", "world/"))}
    assert kept == {*public, "manifest.json", "questions.yaml", "QUESTIONS.md"}
    assert any(name.startswith("truth/") for name in names - public)
    for name in public:
        assert (made.folder / name).read_bytes() == (whole.directory / name).read_bytes(), name


def test_no_file_tells_the_seed_or_the_scenario(made, key, whole):
    """Neither the seed in any form, nor the key of all luck, nor what was made different, nor a digest to check by."""
    world = world_of(whole.stored)
    luck = int(world.record.seed_key[0])
    identity, content = whole.manifest.identity, whole.manifest.result
    secrets = [str(SEED), f"{SEED:x}", str(luck), f"{luck:x}", identity.world_digest, content.truth_digest,
               content.content_digest, key.salt, "inert_members", "has_other_means", "latent_causes"]  # fmt: skip
    hidden = [*(it.encode() for it in secrets), struct.pack("<q", SEED), struct.pack("<q", luck)]
    for file in files_of(made):
        found = [secret for secret in hidden if secret in file.read_bytes()]
        assert found == [], file
    assert key.scenario not in "".join(it.read_text("utf-8") for it in files_of(made) if it.suffix != ".parquet")
    manifest = (made.folder / "manifest.json").read_text(encoding="utf-8")
    assert set(re.findall(r'"(?:seed|world_digest|truth_digest)": (.*),', manifest)) == {"null", '"withheld"'}


def test_no_table_has_a_sealed_column_or_a_seed_for_a_value(made):
    """Compressed pages hide bytes, so the tables are read."""
    sealed = {"cause", "intent", "able"}
    assert sealed < {column.name for column in TRUTH_COLUMNS}
    folders = {it.parent for it in files_of(made) if it.suffix == ".parquet"}
    for folder in folders:
        frame = duckdb.read_parquet(str(folder / "*.parquet"))
        assert not sealed & set(frame.columns), folder
        whole_numbers = [name for name, kind in zip(frame.columns, frame.types, strict=True) if str(kind) == "BIGINT"]
        for name in whole_numbers:
            assert frame.filter(f'"{name}" = {SEED}').count("*").fetchall() == [(0,)], (folder, name)


def test_a_pack_opens_as_a_run(made, whole, call):
    """The same views and tables as the run behind it; its seed is said to be withheld."""
    pack = billing_sim.open(made.folder)
    ours, theirs = pack.views(), whole.views()
    assert {it.id: it.value for them in ours.results.values() for it in them} == {
        it.id: it.value for them in theirs.results.values() for it in them
    }
    assert pack.sql("SELECT count(*) AS n FROM events")["n"][0] == whole.events
    assert pack.seed is None
    assert "seed withheld" in repr(pack)
    for words in (["views", made.folder, "--format", "json"], ["metrics", made.folder, "--format", "json"]):
        answer = call(*words)
        assert (answer.code, answer.err) == (0, "")


@pytest.mark.parametrize(
    "words", [["trace", "US-1"], ["trace", "US-1", "--truth"], ["metrics", "--as-of", "2025-03-01"]], ids=" ".join
)
def test_what_needs_the_truth_refuses_in_a_sentence(made, call, words):
    """Following people needs their world, and a pack has none."""
    answer = call(words[0], made.folder, *words[1:])
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.strip().startswith(
        f"{made.folder} is a challenge pack: its scenario, seed and truth are withheld"
    )
    assert answer.err.count("\n") == 1


def test_neither_truth_nor_world_can_be_had_from_a_pack(made):
    """Not by the store, which every study asks."""
    stored = billing_sim.open(made.folder).stored
    for wanted in (lambda: stored.truth_files, stored.scenario_source, lambda: stored.scenario_path):
        with pytest.raises(RunError, match="withheld"):
            wanted()
    with pytest.raises(RunError, match="withheld"):
        world_of(stored)


def test_people_of_packs_are_nobody_elses(made, tiny_run):
    """Without a seed nobody can say that two runs hold the same people, so none are paired."""
    for other in (made.folder, tiny_run.directory):
        assert two_runs(RunFolder(made.folder), RunFolder(other)).strangers == "a challenge pack withholds its seed"


# The truth.


def test_the_key_says_what_the_run_says(key, whole):
    """Counted anew, row by row, from the truth and the facts of the run."""
    read = duckdb.connect()
    truth = read.read_parquet([str(it) for it in whole.stored.truth_files]).df()
    losses = truth[truth["kind"] == "loss.judged"]
    spells, invoices = whole.table("subscriptions"), whole.table("invoices")
    ended = spells[spells["ended_at"].notna()]
    lost = ended[ended["end_reason"].isin(["nonpayment", "payment_trouble"])]
    assert len(lost) == len(losses) > 50
    assert key.answers["involuntary_share"] == pytest.approx(len(lost) / len(ended))
    wrongful = [intent == "stay" and able == 1 for intent, able in zip(losses["intent"], losses["able"], strict=True)]
    assert key.answers["wrongful_share"] == pytest.approx(sum(wrongful) / len(wrongful))
    declines = truth[truth["kind"] == "decline.explained"].sort_values(["subscriber", "sequence"])
    assert len(declines) == whole.sql("SELECT sum(declines) AS n FROM invoices")["n"][0] - _before_the_run(whole)
    mistakes = declines["cause"].isin(["suspicion", "issuer_memory", "restricted"])
    assert key.answers["false_decline_share"] == pytest.approx(mistakes.mean())
    renewals = {(row.subscriber, row.invoice) for row in invoices[~invoices["is_signup"]].itertuples()}
    firsts = {(row.subscriber, row.invoice): row.cause for row in declines[::-1].itertuples()}
    causes = [cause for unit, cause in firsts.items() if unit in renewals]
    assert key.answers["funds_share"] == pytest.approx(sum(it in ("funds", "balance") for it in causes) / len(causes))
    back = invoices[~invoices["is_signup"] & (invoices["status"] == "paid") & (invoices["declines"] > 0)]
    assert key.answers["retry_share"] == pytest.approx((back["recovered_by"] == "retry").mean())
    assert set(key.answers) <= {it.id for it in QUESTIONS}


def _before_the_run(whole: billing_sim.Run) -> int:
    """Failures of invoices that were open when the run began: their facts count them, their causes are not told."""
    told = whole.sql("""
        SELECT count(*) AS n FROM events WHERE kind IN ('payment_attempt.declined', 'payment.returned')
        OR (kind = 'payment_attempt.reconciled' AND reason = 'failed')
    """)["n"][0]
    return int(whole.sql("SELECT sum(declines) AS n FROM invoices")["n"][0] - told)


def test_the_money_of_other_worlds(key, whole):
    """The same world brings what the facts say; the retries' part and the costliest incident are differences to it."""
    world = world_of(whole.stored)
    came = int(whole.sql("SELECT sum(amount_micros)::BIGINT AS n FROM invoices WHERE status = 'paid'")["n"][0])
    assert collected(world, world) == came
    without = collected(world, without_retries(world))
    assert key.answers["retry_increment"] == (came - without) / 1_000_000 > 0
    scenario = load(whole.stored.scenario_path, members=MEMBERS, seed=SEED).scenario
    costs = {}
    for name, gone in incidents_of(scenario).items():
        left = [entry for entry in scenario.timeline if entry not in gone]
        costs[name] = collected(world, compile_world(scenario.model_copy(update={"timeline": left}))) - came
    assert key.options["costliest_incident"] == sorted(costs)
    assert key.answers["costliest_incident"] == max(costs, key=lambda name: costs[name])
    assert len(costs) == 4


def test_a_question_without_units_is_not_asked(tmp_path):
    """A world in which nobody fails has no wrongful losses to ask about."""
    quiet = Path(__file__).parent.parent / "scenarios" / "first_month.yaml"
    run = simulate(quiet, members=3, out=tmp_path / "run", log="all").run
    found = true_answers(run)
    assert "greatest_cause" not in found
    assert "wrongful_share" not in found


def test_a_seed_makes_the_same_pack_again(made, key, tmp_path):
    """All of it but the salt, so the seal is another one."""
    again = new_challenge(out=tmp_path / "again", seed=SEED, members=MEMBERS)
    other = read_key(again.key)
    assert replace(other, salt=key.salt) == key
    assert other.salt != key.salt
    assert other.seal != key.seal
    for file in files_of(made):
        if file.suffix == ".parquet":
            assert file.read_bytes() == (again.folder / file.relative_to(made.folder)).read_bytes()


def test_a_seed_that_could_be_guessed_is_told(made):
    """Trying a million seeds takes an afternoon."""
    assert not made.is_guessable
    assert "The seed is short" in str(replace(made, is_guessable=True))


def test_choices_depend_on_seed_and_word_alone():
    """Asked again, in another order, they stay."""
    lot = Lot(5)
    first = [lot.number(word, 1000) for word in ("a", "b", "a")]
    assert first[0] == first[2] != first[1]
    assert Lot(5).number("b", 1000) == first[1]
    assert Lot(6).number("b", 1000) != first[1]


# Marks.

SHARE_QUESTION = Question("q", "", "", SHARE, "", tolerance=0.2)


@pytest.mark.parametrize(
    ("answer", "points", "error", "score"),
    [
        (None, 0.0, None, None),
        (Answer(0.50), 0.75, 0.0, None),
        (Answer(0.60), 0.375, 0.1, None),
        (Answer(0.40), 0.375, -0.1, None),
        (Answer(0.70), 0.0, 0.2, None),
        (Answer(0.50, (0.5, 0.5)), 1.0, 0.0, 0.0),
        (Answer(0.50, (0.4, 0.6)), 0.75 + 0.25 * 0.75, 0.0, 0.2),
        (Answer(0.60, (0.52, 0.6)), 0.375 + 0.25 * 0.4, 0.1, 0.48),
        (Answer(0.60, (0.55, 0.6)), 0.375, 0.1, 1.05),
    ],
)  # fmt: skip
def test_numbers_are_marked_by_distance_and_interval(answer, points, error, score):
    """The truth is 0.5 and the tolerance 0.2: an interval's score is its width and 20 times its miss, of 0.8."""
    found = points_for(SHARE_QUESTION, answer, 0.5)
    assert found.points == pytest.approx(points)
    assert found.error == (None if error is None else pytest.approx(error))
    assert found.interval_score == (None if score is None else pytest.approx(score))


def test_a_relative_tolerance_is_a_share_of_the_truth():
    """40 % of 1,000 is 400."""
    question = replace(SHARE_QUESTION, tolerance=0.4, is_relative=True)
    assert points_for(question, Answer(1200.0), 1000.0).points == pytest.approx(0.375)
    assert points_for(question, Answer(-600.0), -1000.0).points == 0
    assert points_for(question, Answer(0.0), 0.0).points == 0.75


def test_nothing_beats_the_interval_one_believes_in():
    """For a uniform truth on [0, 1] the expected score is least for [0.05, 0.95], by exact integration."""
    truths = [(i + 0.5) / 2000 for i in range(2000)]

    def expected(low: float, high: float) -> float:
        return sum(interval_score((low, high), truth) for truth in truths) / len(truths)

    best = expected(0.05, 0.95)
    assert all(
        best < expected(low, high) for low, high in ((0.0, 1.0), (0.1, 0.9), (0.05, 0.9), (0.1, 1.0), (0.5, 0.5))
    )


def test_the_truth_itself_has_all_points(made, key, tmp_path):
    """With intervals without width, in JSON."""
    answers = {name: value if isinstance(value, str) else {"value": value, "interval": [value, value]}
               for name, value in key.answers.items()}  # fmt: skip
    found = grade(made.folder, write(tmp_path, json.dumps({"answers": answers}), "answers.json"))
    assert found.score == pytest.approx(100)
    assert [mark.question.id for mark in found.marks] == list(made.questions)


def test_an_honest_analyst(made, key, tmp_path):
    """What the pack alone tells is exact where the log tells it; what it hides costs points, and names the mistake."""
    pack = billing_sim.open(made.folder)
    told = pack.sql("""
        SELECT
          (SELECT avg((end_reason IN ('nonpayment', 'payment_trouble'))::INT) FROM subscriptions
           WHERE ended_at IS NOT NULL) AS involuntary,
          (SELECT avg((recovered_by = 'retry')::INT) FROM invoices
           WHERE NOT is_signup AND status = 'paid' AND declines > 0) AS retries,
          (SELECT avg((first_code IN ('51', 'AM04', 'U30'))::INT) FROM invoices
           WHERE NOT is_signup AND first_code <> 'none') AS funds,
          (SELECT sum(amount_micros) / 1e6 FROM invoices WHERE recovered_by = 'retry') AS retried
    """).iloc[0]
    text = f"""\
answers:
  involuntary_share: {told.involuntary:.6f}
  retry_share: {{value: {100 * told.retries:.6f}%, interval: [{told.retries - 0.01:.6f}, {told.retries + 0.01:.6f}]}}
  funds_share: {told.funds:.6f}
  retry_increment: {told.retried:.2f}
  wrongful_share: {{value: 60%, interval: [30%, 95%]}}
  greatest_cause: machine
"""
    found = grade(made.folder, write(tmp_path, text))
    assert found["involuntary_share"].points.points == pytest.approx(0.75, abs=1e-4)
    assert found["retry_share"].points.points == pytest.approx(0.75 + 0.25 * (1 - 0.02 / 0.2), abs=1e-4)
    assert found["funds_share"].points.error < -0.10
    assert found["greatest_cause"].points.points == float(key.answers["greatest_cause"] == "machine")
    assert found["false_decline_share"].answer is None
    assert 0 < found.points < len(found.marks)
    printed = str(found)
    assert printed.count("The usual mistake: ") == len(found.marks)
    assert f"{found.points:.2f} of {len(found.marks)} points" in printed
    assert max(map(len, printed.splitlines())) <= 80
    assert f"answer {told.retried:,.0f} USD, truth {key.answers['retry_increment']:,.0f} USD, error " in printed
    assert f"error {100 * found['funds_share'].points.error:+.1f} pp" in printed
    assert "90 % interval 30.0 % to 95.0 %: " in printed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("answers: {}\nnote: 1\n", ":2:1  note: a file of answers has no such key."),
        ("involuntary_share: 0.3\n", "There are no answers here."),
        ("answers:\n  wrongfull_share: 0.3\n", "Did you mean wrongful_share?"),
        ("answers:\n  wrongful_share: many\n", ":2:19  wrongful_share: this is no number."),
        ("answers:\n  wrongful_share: 500%\n", ":2:19  wrongful_share: a share is from 0 to 100 %, and this is 500 %."),
        ("answers:\n  wrongful_share: 31\n", "a share is from 0 to 100 %, and this is 3,100 %."),
        ("answers:\n  wrongful_share: {value: 0, interval: [-0.5, 1]}\n", "and this is -50 %."),
        ("answers:\n  wrongful_share: true\n", "Write a share such as 0.31 or 31%."),
        ("answers:\n  retry_increment: NaN%\n", "Write an amount such as 1250."),
        (
            "answers:\n  retry_increment: 40%\n",
            ":2:20  retry_increment: an amount is asked for, and this is a share.",
        ),
        ("answers:\n  retry_increment: {value: 40, interval: [1%, 80]}\n", "retry_increment: an amount is asked for"),
        ("answers:\n  wrongful_share: {interval: [0.1, 0.2]}\n", "wrongful_share: the value is missing."),
        ("answers:\n  wrongful_share: {value: 0.2, intervall: [0, 1]}\n", "there is no key intervall."),
        ("answers:\n  wrongful_share: {value: 0.2, interval: [0.3, 0.1]}\n", "wrongful_share: this is no interval."),
        ("answers:\n  wrongful_share: {value: 0.2, interval: 0.3}\n", "the smaller one first"),
        ("answers:\n  greatest_cause: weather\n", "Choose one of funds, stale_details,"),
        ("answers:\n  greatest_cause: {value: funds, interval: [0, 1]}\n", "a choice has no interval."),
        ("answers: [\n", "answers.yaml:"),
    ],
)
def test_a_bad_file_of_answers_is_read_aloud(made, tmp_path, text, said):
    """Where, what, and what to do; in one go."""
    with pytest.raises(InputError) as told:
        grade(made.folder, write(tmp_path, text))
    assert said in str(told.value)


def test_all_mistakes_are_told_at_once(made, tmp_path):
    """Three lines, three problems."""
    text = "answers:\n  a_question: 1\n  wrongful_share: x\n  greatest_cause: y\n"
    with pytest.raises(InputError) as told:
        grade(made.folder, write(tmp_path, text))
    assert len(told.value.problems) == 3


# Keys and folders.


def test_a_key_cannot_be_changed_unnoticed(made, key, tmp_path):
    """One other answer, another salt, or the key of another pack: refused."""
    answers = write(tmp_path, "answers: {}\n")
    for changed in (
        replace(key, answers={**key.answers, "wrongful_share": 0.5}), replace(key, salt="0" * 64),
        replace(key, pack="another"),
    ):  # fmt: skip
        changed.write(tmp_path / "changed.json")
        with pytest.raises(RunError, match="is not the key that"):
            grade(made.folder, answers, key=tmp_path / "changed.json")


def test_a_pack_that_is_not_whole_is_not_marked(made, tmp_path):
    """A fact that is missing and one that was changed are named."""
    pack = tmp_path / "pack"
    shutil.copytree(made.folder, pack)
    gone = next((pack / "facts").rglob("*.parquet"))
    gone.unlink()
    with pytest.raises(RunError, match="not as it was handed out: get the pack anew") as refused:
        grade(pack, write(tmp_path, "answers: {}\n"), key=made.key)
    assert f"{gone.relative_to(pack).as_posix()} is missing" in str(refused.value)


def test_changing_the_pack_gains_nothing(made, key):
    """What is asked and how near is near comes from the key and the program."""
    asked = questions_of(key)
    assert list(asked) == list(made.questions)
    assert asked["costliest_incident"].options == tuple(key.options["costliest_incident"])


def test_folders_and_keys_are_not_touched(made, tmp_path):
    """Neither a folder with something in it, nor a key that is there, nor a key inside the pack."""
    (tmp_path / "full").mkdir()
    write(tmp_path / "full", "mine", "notes.txt")
    write(tmp_path, "mine", "taken.key.json")
    for out, key, said in (
        ("full", None, "is not empty"), ("taken", None, "is there already"), ("new", "new/key.json", "within the pack"),
        ("new", "keys/key.json", "no folder: create it"),
    ):  # fmt: skip
        with pytest.raises(RunError, match=said):
            new_challenge(out=tmp_path / out, key=key and tmp_path / key, members=300)
    with pytest.raises(RunError, match="lies within a run"):
        new_challenge(out=made.folder / "inner", members=300)
    with pytest.raises(QueryError, match=r"With 1 member hardly anybody fails to pay.*: use 300 at least"):
        new_challenge(out=tmp_path / "new", members=1)
    with pytest.raises(QueryError, match="is no seed"):
        new_challenge(out=tmp_path / "new", seed=1 << 62)
    assert sorted(it.name for it in tmp_path.iterdir()) == ["full", "taken.key.json"]


def test_a_folder_that_is_no_pack_or_has_no_key(made, tmp_path):
    """Each with what to do."""
    answers = write(tmp_path, "answers: {}\n")
    with pytest.raises(RunError, match="is no challenge pack"):
        grade(tmp_path, answers)
    with pytest.raises(RunError, match="Whoever made the pack has it"):
        grade(made.folder, answers, key=tmp_path / "nowhere.json")
    for text in ("[]", "{}", "{", '{"format": "billing_sim challenge key"}'):
        with pytest.raises(RunError, match="is no key of a challenge pack"):
            grade(made.folder, answers, key=write(tmp_path, text, "key.json"))


# On the command line.


def test_new_and_grade(call, tmp_path):
    """A pack of a random seed, its key beside it, answers marked; below the mark the exit code is 1."""
    first_month = Path(__file__).parent.parent / "scenarios" / "first_month.yaml"
    answer = call("challenge", "new", first_month, "--out", tmp_path / "riddle", "--members", 300, "-q")
    assert answer.code == 0
    assert "The seed is short" not in answer.out
    assert read_key(tmp_path / "riddle.key.json").seed >= LONGEST_GUESS
    sheet = (tmp_path / "riddle" / "QUESTIONS.md").read_text(encoding="utf-8")
    assert "How much of the churn was involuntary?" in sheet
    example = sheet.partition("```yaml\n")[2].partition("```")[0]
    answers = write(tmp_path, example)
    graded = call("challenge", "grade", tmp_path / "riddle", answers)
    assert (graded.code, graded.err) == (0, "")
    found = json.loads(call("challenge", "grade", tmp_path / "riddle", answers, "--format", "json").out)
    assert found["of"] == len(found["questions"])
    assert call("challenge", "grade", tmp_path / "riddle", answers, "--pass", found["score"]).code == 0
    below = call("challenge", "grade", tmp_path / "riddle", answers, "--pass", 100)
    assert (below.code, below.err) == (1, "Below the mark of 100.\n")


@pytest.mark.parametrize("command", [["challenge"], ["challenge", "new"], ["challenge", "grade"]])
def test_help(call, command):
    """An example at the end, and no line too long."""
    answer = call(*command, "--help")
    assert answer.code == 0
    assert answer.out.splitlines()[-1].startswith("  Example:  billing-sim challenge ")
    assert max(map(len, answer.out.splitlines())) <= 80
