"""What holds of every company that rents machines."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from lib.offer import Offer
from lib.providers.rental import (
    HalfRented,
    Listing,
    NoCredit,
    NoOffer,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    RentalStatus,
)
from tests.contract.rental.companies import BOOT_S, RentalCompany, label_of

LAG_S = 150.0  # after this a listing shows what there is


def first(company: RentalCompany, *, interruptible: bool = False) -> Offer:
    return company.provider.offers(interruptible=interruptible)[0]


def rented(company: RentalCompany, number: int = 1) -> tuple[Offer, str]:
    offer = first(company)
    instance = company.provider.rent(
        offer, label=label_of(company, number), expires_at=company.now() + 7200.0
    )
    return offer, instance


def settled(company: RentalCompany) -> Listing:
    company.advance(LAG_S)
    listing = company.provider.list()
    assert listing.complete, listing.problem
    return listing


@pytest.mark.parametrize("interruptible", [False, True])
def test_an_offer_says_all_of_itself(company: RentalCompany, interruptible: bool) -> None:
    offers = company.provider.offers(interruptible=interruptible)
    assert len({offer.id for offer in offers}) == len(offers) > 1
    for offer in offers:
        numbers = (offer.perf, offer.reliability, offer.cuda, offer.vram_gb, offer.disk_gb, offer.down_mbps)
        assert offer.interruptible is interruptible
        assert offer.hourly_micros > 0
        assert offer.machine_id
        assert offer.host_id
        assert offer.gpu
        assert all(math.isfinite(number) and number > 0 for number in numbers)


def test_an_offer_of_each_kind_has_an_id_of_its_own(company: RentalCompany) -> None:
    kinds = [company.provider.offers(interruptible=kind) for kind in (False, True)]
    assert not {offer.id for offer in kinds[0]} & {offer.id for offer in kinds[1]}
    assert {offer.machine_id for offer in kinds[0]} & {offer.machine_id for offer in kinds[1]}


@pytest.mark.parametrize("interruptible", [False, True])
def test_what_is_rented_is_listed_with_its_label_its_price_and_its_machine(
    company: RentalCompany, interruptible: bool
) -> None:
    offer, label = first(company, interruptible=interruptible), label_of(company)
    instance = company.provider.rent(offer, label=label, expires_at=company.now() + 7200.0)
    (rental,) = settled(company).rentals
    assert (rental.instance, rental.label, rental.machine_id) == (instance, label, offer.machine_id)
    assert rental.hourly_micros == pytest.approx(offer.hourly_micros, rel=0.01)
    shown = company.provider.show(instance)
    assert shown is not None
    assert shown.label == label


def test_it_starts_and_then_runs(company: RentalCompany) -> None:
    _, instance = rented(company)
    shown = company.provider.show(instance)
    assert shown is not None
    assert shown.status is RentalStatus.STARTING
    company.advance(BOOT_S)
    shown = company.provider.show(instance)
    assert shown is not None
    assert shown.status is RentalStatus.RUNNING


def test_an_offer_is_rented_once(company: RentalCompany) -> None:
    offer, _ = rented(company)
    with pytest.raises(NoOffer):
        company.provider.rent(offer, label=label_of(company, 2), expires_at=company.now() + 7200.0)
    assert len(settled(company).rentals) == 1


def test_what_was_never_offered_cannot_be_rented(company: RentalCompany) -> None:
    offer = first(company)
    made_up = Offer("no offer of yours", offer.machine_id, offer.host_id, offer.gpu, offer.hourly_micros)
    with pytest.raises(NoOffer):
        company.provider.rent(made_up, label=label_of(company), expires_at=company.now() + 7200.0)


def test_without_credit_nothing_is_rented(company: RentalCompany) -> None:
    company.spend_all()
    assert company.provider.credit_micros() <= 0
    with pytest.raises(NoCredit):
        rented(company)
    assert not settled(company).rentals


def test_what_is_destroyed_is_gone_from_everywhere(company: RentalCompany) -> None:
    _, instance = rented(company)
    company.provider.destroy(instance)
    assert not settled(company).rentals
    assert company.provider.show(instance) is None


def test_to_destroy_what_is_gone_or_never_was_succeeds(company: RentalCompany) -> None:
    _, instance = rented(company)
    company.provider.destroy(instance)
    company.provider.destroy(instance)
    company.provider.destroy(company.stranger)
    assert company.provider.show(company.stranger) is None


def test_what_it_costs_is_taken_from_the_credit_and_stands_in_the_bill(company: RentalCompany) -> None:
    offer, instance = rented(company)
    before, began = company.provider.credit_micros(), company.now()
    for _ in range(12):
        company.advance(300.0)
    paid = before - company.provider.credit_micros()
    assert 0 < paid <= 1.2 * offer.hourly_micros + offer.fee_micros
    company.provider.destroy(instance)
    lines = [line for line in company.provider.bill(began) if line.instance == instance]
    assert all(line.label.startswith("jw|rehearsal|1|token-00000001|") for line in lines)
    assert {line.category for line in lines} <= {"compute", "storage", "bandwidth"}
    assert sum(line.micros for line in lines) == pytest.approx(paid, rel=0.05, abs=offer.fee_micros + 50)


def test_a_rental_of_which_no_answer_comes_is_found_by_its_label(company: RentalCompany) -> None:
    offer, label = first(company), label_of(company)
    company.trouble("lost reply", "rent")
    with pytest.raises(OutcomeUnknown):
        company.provider.rent(offer, label=label, expires_at=company.now() + 7200.0)
    assert [rental.label for rental in settled(company).rentals] == [label]


def test_a_refusal_that_rents_all_the_same_says_what(company: RentalCompany) -> None:
    offer, label = first(company), label_of(company)
    company.trouble("half", "rent")
    with pytest.raises(HalfRented) as caught:
        company.provider.rent(offer, label=label, expires_at=company.now() + 7200.0)
    assert [rental.instance for rental in settled(company).rentals] == [caught.value.instance]
    company.provider.destroy(caught.value.instance)
    assert not settled(company).rentals


def test_after_a_lost_answer_a_rental_may_be_destroyed_again(company: RentalCompany) -> None:
    _, instance = rented(company)
    company.trouble("lost reply", "destroy")
    with pytest.raises(OutcomeUnknown):
        company.provider.destroy(instance)
    company.advance(10.0)
    company.provider.destroy(instance)
    assert not settled(company).rentals


@pytest.mark.parametrize("method", ["offers", "list", "credit_micros", "bill", "show", "destroy", "rent"])
@pytest.mark.parametrize("trouble", ["too many", "error"])
def test_trouble_is_an_error_and_never_an_empty_answer(
    company: RentalCompany, method: str, trouble: str
) -> None:
    offer, instance = rented(company)
    company.advance(60.0)
    offer = first(company)
    company.advance(60.0)
    company.trouble(trouble, method)
    calls: dict[str, Callable[[], object]] = {
        "offers": lambda: company.provider.offers(interruptible=False),
        "list": company.provider.list,
        "credit_micros": company.provider.credit_micros,
        "bill": lambda: company.provider.bill(company.now() - 60.0),
        "show": lambda: company.provider.show(instance),
        "destroy": lambda: company.provider.destroy(instance),
        "rent": lambda: company.provider.rent(
            offer, label=label_of(company, 2), expires_at=company.now() + 7200.0
        ),
    }
    expected = RateLimited if trouble == "too many" else (ProviderError, OutcomeUnknown)
    with pytest.raises(expected):
        calls[method]()
    assert [rental.instance for rental in settled(company).rentals] == [instance]
    company.advance(60.0)
    calls["list"]()
