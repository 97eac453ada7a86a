"""The review (能源计量审查, 碳排放计量审查) as an object: items, evidence, signed judgements, draws."""
