"""What leaves the house for people: model card, patient report, frozen board. Light: never torch."""
