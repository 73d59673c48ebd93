@golden
Feature: Golden copy and reset
  Every rehearsal starts from the same content. A checkpoint keeps it, a reset brings it back, and
  what cannot be relied on is neither kept nor brought back.

  Scenario: A reset takes back what a rehearsal wrote
    Given a sandbox that is the same as prod
    And a golden copy of the sandbox
    And a rehearsal that wrote to the sandbox
    When the sandbox is reset
    Then the reset undid only what was changed
    And the sandbox does not differ from the golden copy
    And the sandbox does not differ from prod in anything

  Scenario: What cannot be undone row by row is restored, and the reason is told
    Given a sandbox that is the same as prod
    And a golden copy of the sandbox
    And a rehearsal that switched a module on
    When the sandbox is reset
    Then the golden copy was restored, because "definitions have changed"
    And the sandbox does not differ from the golden copy

  Scenario: The same rehearsal is given the same numbers after every reset
    Given a sandbox that is the same as prod
    And a golden copy of the sandbox
    And a rehearsal that wrote to the sandbox
    When the sandbox is reset
    And the same rehearsal writes to the sandbox again
    Then both were given the same ids and the same invoice number

  Scenario: The golden copy holds what was there at the checkpoint, not what prod holds
    Given a sandbox that is the same as prod
    And a rehearsal that wrote to the sandbox
    And a golden copy of the sandbox
    When the sandbox is reset
    Then the sandbox does not differ from the golden copy
    And the sandbox differs from prod in "rows llx_facture"

  Scenario: A damaged golden copy is refused before anything is wiped
    Given an empty golden store that keeps no shadows
    And a sandbox that is the same as prod
    And a golden copy of the sandbox
    And damage to the golden copy
    When a reset is attempted
    Then it fails, and names "sandbox.dump"
    And the sandbox does not differ from prod in anything
    And the content of the sandbox is marked complete

  Scenario: Only as many golden copies are kept as were asked for
    Given a sandbox that is the same as prod
    And an empty golden store that keeps 2 copies
    When 3 checkpoints are taken
    Then the store holds the newest 2 golden copies

  Scenario: Content that is not complete is neither kept nor taken for a golden copy
    Given an empty golden store
    And a pg_restore that loads nothing of prod and ends with exit code 0
    And a refresh that failed half-way
    When a checkpoint is attempted
    Then it is refused, and names "marked incomplete"

  Scenario: A reset without a golden copy is refused
    Given an empty golden store
    When a reset is attempted
    Then it is refused, and names "no golden copy"
