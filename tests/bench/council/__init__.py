"""Whether a council of small models picks better answers than chance, on HumanEval with its tests."""
