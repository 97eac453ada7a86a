from config.catalogues import energy_kinds, measurands


def test_every_energy_kind_counts_with_counters_of_its_own_unit():
    for kind in energy_kinds().values():
        for measurand in kind.measurands:
            known = measurands()[measurand]
            assert known.kind == "cumulative", measurand
            assert known.unit == kind.unit, (kind.id, measurand)


def test_names_are_unique_in_both_languages():
    kinds = energy_kinds().values()
    for names in ([kind.name.zh for kind in kinds], [kind.name.en for kind in kinds], [kind.id for kind in kinds]):
        assert len(names) == len(set(names))
