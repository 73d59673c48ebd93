"""Clients of the ERP that read and write, and know of each answer whether it may be.

What is golden, one client alone changes: a third of the drafts and of the third parties is each
one's own. What a client creates carries its own words, since ids are given out again after a reset.
"""

from __future__ import annotations

import http.client
import random
from decimal import Decimal
from threading import Thread
from typing import TYPE_CHECKING

from .asking import Api
from .spans import Register, Resets

if TYPE_CHECKING:
    from threading import Event

    from .asking import Answer, Golden, Json

_LISTED = 30
_MONEY = ("total_ht", "total_tva", "total_ttc")
_MADE = ("note_private", "date_modification")


class Client(Thread):
    """One client, at work until it is over.

    Args:
        number: Which of them; it decides on what it does, too.
        url: Where the ERP answers.
        golden: What it answers after a reset.
        resets: The resets so far.
        over: Set when enough was done.
    """

    def __init__(self, number: int, url: str, golden: Golden, resets: Resets, over: Event) -> None:
        super().__init__(name=f"client {number}", daemon=True)
        self.api = Api(url)
        self.wrong: list[str] = []
        self._number = number
        self._golden = golden
        self._resets = resets
        self._over = over
        self._random = random.Random(number)  # noqa: S311  what it does next is no secret
        self._words = 0
        self._made: dict[str, tuple[int, Register]] = {}
        self._registers = {
            **{
                f"/invoices/{each}": Register(golden.invoices[each])
                for each in golden.own(golden.drafts, number)
            },
            **{
                f"/thirdparties/{each}": Register(golden.third_parties[each])
                for each in golden.own(list(golden.third_parties), number)
            },
            **{
                f"/setup/conf/{name}": Register(golden.constants[name])
                for name in golden.own(list(golden.constants), number)
            },
        }
        self._work = (
            self._read_company,
            self._read_list,
            self._read_invoice,
            self._read_own,
            self._read_own,
            self._read_made,
            self._read_made,
            self._create_third_party,
            self._create_invoice,
            self._create_invoice,
            self._add_event,
            self._note,
            self._set_constant,
            self._delete_draft,
        )

    def run(self) -> None:
        while not self._over.is_set():
            work = self._random.choice(self._work)
            try:
                work()
            except (AssertionError, OSError, http.client.HTTPException) as error:
                self.wrong.append(f"{self.name}, {work.__name__.strip('_')}: {error!r}")
        self.api.close()

    # What is read.

    def _read_company(self) -> None:
        answer = self.api.ask("GET", "/setup/company")
        assert answer.body == self._golden.company, answer

    def _read_list(self) -> None:
        found = self.api.ask("GET", f"/invoices?limit={_LISTED}").body
        assert len(found) == _LISTED, f"{len(found)} invoices in the list"
        refs = [each["ref"] for each in found]
        assert len(set(refs)) == len(refs), refs
        for each in found:
            self._check_invoice(each)
        listed = {each["id"] for each in found}
        missing = [
            number
            for number in self._golden.invoices
            if number >= min(listed) and number not in listed
        ]
        assert set(missing) <= set(self._golden.drafts), f"not in the list: {missing}"

    def _read_invoice(self) -> None:
        number = self._random.choice(list(self._golden.invoices))
        answer = self.api.ask("GET", f"/invoices/{number}")
        if answer.body is None:
            assert number in self._golden.drafts, f"invoice {number} is gone"
        else:
            self._check_invoice(answer.body)

    def _read_own(self) -> None:
        path, register = self._random.choice(list(self._registers.items()))
        self._check(register, path, self.api.ask("GET", path))

    def _read_made(self) -> None:
        if self._made:
            path, (number, register) = self._random.choice(list(self._made.items()))
            answer = self.api.ask("GET", f"{path}/{number}")
            if answer.body is not None and path == "/invoices":
                self._check_invoice(answer.body)
            self._check(register, f"{path}/{number}", answer, of_others=True)

    # What is written.

    def _create_third_party(self) -> None:
        words = self._own_words()
        answer = self.api.ask("POST", "/thirdparties", name=words, code_client=words)
        made = answer.body
        assert made is not None, answer
        assert (made["name"], made["code_client"], made["note_private"]) == (words, words, None)
        self._keep("/thirdparties", answer)

    def _create_invoice(self) -> None:
        words, customer = self._own_words(), self._random.choice(list(self._golden.third_parties))
        register = None
        if "/thirdparties" in self._made and self._random.random() < 0.5:
            customer, register = self._made["/thirdparties"]
        lines = [
            {
                "desc": f"{words} {rank}",
                "qty": self._random.randint(1, 9),
                "subprice": f"{self._random.randint(1, 99_999) / 100:.2f}",
                "tva_tx": "20",
            }
            for rank in range(self._random.randint(1, 7))
        ]
        validate = self._random.random() < 0.5
        answer = self.api.ask(
            "POST", "/invoices", socid=customer, ref_client=words, validate=validate, lines=lines
        )
        if answer.body is None:
            assert register is not None, f"{answer}: third party {customer} is golden"
            self._check(register, f"/thirdparties/{customer}", answer, of_others=True)
            return
        made = answer.body
        self._check_invoice(made)
        told = (made["socid"], made["ref_client"], made["status"], made["ref"][:2] == "FA")
        assert told == (customer, words, int(validate), validate), made
        assert [line["desc"] for line in made["lines"]] == [line["desc"] for line in lines], made
        for line, wanted in zip(made["lines"], lines, strict=True):
            net = Decimal(wanted["subprice"]) * wanted["qty"]
            assert Decimal(line["total_ht"]) == net, made
        self._keep("/invoices", answer)

    def _add_event(self) -> None:
        words = self._own_words()
        answer = self.api.ask("POST", "/agendaevents", label=words)
        assert answer.body is not None, answer
        assert (answer.body["label"], answer.body["ref"]) == (words, str(answer.body["id"])), answer

    def _note(self) -> None:
        path, register = self._own("/thirdparties/")
        answer = self.api.ask("PUT", path, note_private=self._own_words())
        assert answer.body is not None, f"{path} is golden, and gone"
        changed = {name for name in answer.body if answer.body[name] != register.golden[name]}
        assert changed == set(_MADE), answer
        register.write(answer.body, answer.span)

    def _set_constant(self) -> None:
        path, register = self._own("/setup/conf/")
        words = self._own_words()
        answer = self.api.ask("PUT", path, value=words)
        assert answer.body == words, answer
        register.write(words, answer.span)

    def _delete_draft(self) -> None:
        path, register = self._own("/invoices/")
        answer = self.api.ask("DELETE", path)
        if answer.body is None:
            self._check(register, path, answer)
        else:
            register.write(None, answer.span)

    # What may be.

    def _check(self, register: Register, path: str, answer: Answer, **how: bool) -> None:
        found = answer.body
        if how.get("of_others") and not self._is_own(found):
            found = None
        assert register.explains(found, answer.span, self._resets), f"{path}: {answer}"

    def _check_invoice(self, found: Json) -> None:
        """Golden, or made by somebody and then whole."""
        golden = self._golden.invoices.get(found["id"])
        if golden is not None:
            assert found == golden, f"invoice {found}, golden {golden}"
            return
        assert found["id"] > max(self._golden.invoices), found
        assert found["lines"], f"an invoice without lines: {found}"
        for total in _MONEY:
            lines = sum(Decimal(line[total]) for line in found["lines"])
            assert Decimal(found[total]) == lines, f"{total} is not the lines' sum: {found}"

    def _keep(self, path: str, answer: Answer) -> None:
        """Remember what was made, until the next of its kind."""
        register = Register(None)
        register.write(answer.body, answer.span)
        self._made[path] = (answer.body["id"], register)

    def _own(self, path: str) -> tuple[str, Register]:
        found = [each for each in self._registers.items() if each[0].startswith(path)]
        return self._random.choice(found)

    def _own_words(self) -> str:
        self._words += 1
        return f"{self.name}, {self._words}"

    def _is_own(self, found: Json) -> bool:
        words = found and (found.get("code_client") or found.get("ref_client") or "")
        return bool(words) and words.startswith(f"{self.name},")
