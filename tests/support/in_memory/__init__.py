"""A testing kit: the domain's ports in memory.

Each fake is lost with its process. The stores, the schedule, the engine directory and the publisher are safe
for threads and pass the same suites in tests/contract as the real ones; test_stores_agree.py compares the
stores call by call, so that a step that passes over a fake holds over Redis or Valkey. What stores share in
production they share here: a MemoryDeliberationStore is handed the MemoryOutbox that holds its events
(tests/support/stores.py makes them together). tests/support/stage.py runs the domain's steps over the whole
kit. No product code imports it.
"""
