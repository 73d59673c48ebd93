"""Make every attempt of the catalogue on a twin, as each of the sandbox's identities.

After each one prod must be as it was. What changed nothing is not forgiven for that: a statement
that the server let through is told, with its text, though it was rolled back.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from psycopg import sql

from harness.integrity.attacks import names as naming
from harness.integrity.attacks.catalogue import NO_EFFECT, REFUSED, catalogue
from harness.integrity.attacks.hand import Ended, Hand, RefusedToConnectError
from harness.integrity.attacks.measures import MEASURES
from harness.integrity.attacks.prod_watch import ProdWatch
from harness.integrity.attacks.state import Guard
from harness.integrity.finding import Finding, Unproven

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from harness.deadlines import Deadlines
    from harness.integrity.attacks.catalogue import Attack
    from harness.integrity.attacks.measures import Measure
    from harness.integrity.attacks.names import Known, Names
    from harness.integrity.twin.identity import Identity
    from harness.integrity.twin.server import Twin
    from harness.progress import Progress

    Verdict = Literal["holds", "open", "no limit stated"]

BOUNDED = "bounded effect"
NOTHING_THERE = "nothing of the kind there"
_AVAILABILITY = 14
_IN_THE_END = "leave prod as it was"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt as one identity, and how it came out.

    Args:
        name: What was attempted.
        group: Which of the fourteen groups it belongs to.
        identity: Who attempted it, as a report calls them.
        login: The login that they came with.
        statement: The exact statement.
        expected: How it had to end.
        got: How it ended, with what the server said.
        verdict: Whether the guarantee holds; or that nothing stated bounds the effect.
        closes: What closes it.
    """

    name: str
    group: int
    identity: str
    login: str
    statement: str
    expected: str
    got: str
    verdict: Verdict
    closes: str

    @property
    def holds(self) -> bool:
        """Whether it came out as it had to; an effect that nothing bounds did not."""
        return self.verdict == "holds"


def attempt_all(
    twin: Twin, deadlines: Deadlines, progress: Progress, *, only: Collection[str] | None = None
) -> tuple[Attempt, ...]:
    """Make every attempt, as every identity; prod is compared after each and after all of them.

    Args:
        twin: The twin.
        deadlines: The table of deadlines.
        progress: Told how many are made.
        only: Names of the attempts to make. Default: all.
    """
    attacks = [
        attack
        for attack in catalogue()
        if attack.since <= twin.blueprint.major and (only is None or attack.name in only)
    ]
    measures = [each for each in MEASURES if only is None or each.name in only]
    known = naming.of_twin(twin)
    identities = twin.identities()
    made: list[Attempt] = []
    with ExitStack() as undo:
        guard = Guard(undo.enter_context(twin.administer()), known.made_up.tables)
        round_ = _Round(twin, known, guard, ProdWatch(twin, undo), deadlines)
        before = guard.everything()
        advance = undo.enter_context(progress.phase("attempt to reach prod on the twin"))
        for identity in identities:
            for attempt in round_.of(identity, attacks, measures):
                made.append(attempt)
                advance(1)
        after = guard.everything()
    return (*made, _in_the_end(before, after))


def as_findings(attempts: Iterable[Attempt]) -> list[Finding]:
    """What succeeded, each attempt once, whoever made it."""
    return [
        Finding(
            id=f"attempt: {name}",
            plane="postgresql",
            group=those[0].group,
            what=f"on the twin it was possible to {name}: {those[0].got}",
            chain=(", ".join(each.identity for each in those), those[0].statement),
            closes=those[0].closes,
        )
        for name, those in _by_name(attempts, "open").items()
    ]


def as_unproven(attempts: Iterable[Attempt]) -> list[Unproven]:
    """Effects on prod that no limit of the target bounds, each once, whoever had them."""
    return [
        Unproven(
            id=f"attempt: {name}",
            plane="postgresql",
            group=those[0].group,
            what=f"that nobody of the sandbox can {name}",
            why=f"{those[0].got}; to bound it: {those[0].closes}",
        )
        for name, those in _by_name(attempts, "no limit stated").items()
    ]


def _by_name(attempts: Iterable[Attempt], verdict: Verdict) -> dict[str, list[Attempt]]:
    """Those that ended so, by what was attempted."""
    found: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        if attempt.verdict == verdict:
            found.setdefault(attempt.name, []).append(attempt)
    return found


@dataclass(frozen=True, slots=True)
class _Round:
    """What all attempts on one twin share."""

    twin: Twin
    known: Known
    guard: Guard
    prod: ProdWatch
    deadlines: Deadlines

    def of(
        self, identity: Identity, attacks: Iterable[Attack], measures: Iterable[Measure]
    ) -> Iterator[Attempt]:
        with Hand(self.twin, identity, self.deadlines) as hand:
            own = naming.of_attacker(self.twin, identity)
            for attack in attacks:
                if attack.by == identity.of:
                    for names in self.known.variants(attack.needs):
                        now = {**names, **own, "pid": self.prod.pid()}
                        yield self._attempt(attack, identity, hand, now)
            for measure in measures:
                if identity.of == "sandbox":
                    yield self._measure(measure, identity, hand)

    def _attempt(self, attack: Attack, identity: Identity, hand: Hand, names: Names) -> Attempt:
        given = {name: names[name] for name in attack.needs}
        if None in given.values():
            ended = Ended(NOTHING_THERE)
        else:
            statement = sql.SQL(attack.statement).format(**given)
            ended = hand.attempt(attack, statement, lambda: self.prod.holds(attack.check))
        harm = self._harm()
        # Whoever is kept out at the door is kept out of whatever is behind it.
        expected = ended.outcome in {*attack.expect, REFUSED, NOTHING_THERE}
        told = naming.shown(names, self.twin, identity)
        return Attempt(
            name=attack.name,
            group=attack.group,
            identity=str(identity),
            login=identity.user,
            statement=_text(attack.statement, told),
            expected=" or ".join(attack.expect),
            got="; ".join([str(ended), *harm]),
            verdict="holds" if expected and not harm else "open",
            closes=_text(attack.closes, told),
        )

    def _measure(self, measure: Measure, identity: Identity, hand: Hand) -> Attempt:
        verdict: Verdict
        try:
            reach = measure.take(self.twin, identity, hand, self.prod)
        except RefusedToConnectError as error:
            got, verdict = str(Ended(REFUSED, error.found or "")), "holds"
        else:
            got = f"{BOUNDED}: {reach.told}"
            verdict = "holds" if reach.bounded else "no limit stated"
        harm = self._harm()
        return Attempt(
            name=measure.name,
            group=_AVAILABILITY,
            identity=str(identity),
            login=identity.user,
            statement=measure.statement,
            expected=BOUNDED,
            got="; ".join([got, *harm]),
            verdict="open" if harm else verdict,
            closes=measure.closes,
        )

    def _harm(self) -> list[str]:
        """What is no longer as it was; each change is held against one attempt alone."""
        changed = self.guard.changed()
        if changed:
            self.guard.accept()
        return [*self.prod.harm(), *(f"changed: {name}" for name in changed)]


def _in_the_end(before: dict[str, str], after: dict[str, str]) -> Attempt:
    changed = sorted(
        name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
    )
    return Attempt(
        name=_IN_THE_END,
        group=1,
        identity="all of them",
        login="",
        statement="every statement above",
        expected=NO_EFFECT,
        got=f"changed: {', '.join(changed)}" if changed else NO_EFFECT,
        verdict="open" if changed else "holds",
        closes="what closes the attempts that succeeded",
    )


def _text(template: str, names: Names) -> str:
    """A statement with its names filled in; what the target does not have is named in brackets."""
    values = {
        name: sql.SQL(f"[no {name}]") if value is None else value for name, value in names.items()
    }
    return " ".join(sql.SQL(template).format(**values).as_string().split())
