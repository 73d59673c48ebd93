@recovery
Feature: Recovery
  A refresh stops the application and switches its self-heal off. However the run ends, and whenever,
  both are afterwards as they were; a run that could not see to it is seen to by `recover`.

  Scenario Outline: Self-heal is re-armed after an interrupt
    Given a sandbox that holds a golden copy, and not what prod holds
    And the application as it runs now
    When a refresh from prod meets <interrupt>, <moment>
    Then it ends as interrupted, with everything put back
    And the application runs as before, with self-heal exactly as it was
    And nobody holds the Lease, and no journal is left
    And the sandbox holds the golden copy

    Examples:
      | interrupt | moment                                |
      | Ctrl-C    | after self-heal was paused            |
      | SIGTERM   | after the application was scaled to 0 |
      | Ctrl-C    | half-way through the restore          |

  Scenario Outline: Self-heal is re-armed after a death
    Given a sandbox that holds a golden copy, and not what prod holds
    And the application as it runs now
    When a refresh from prod meets <death>, <moment>
    And what it left is recovered
    Then the application runs as before, with self-heal exactly as it was
    And nobody holds the Lease, and no journal is left
    And the sandbox holds <content>

    Examples:
      | death             | moment                                | content         |
      | kill -9           | before self-heal is paused            | the golden copy |
      | the machine's end | after self-heal was paused            | the golden copy |
      | kill -9           | after the application was scaled to 0 | the golden copy |
      | the machine's end | after the application was scaled back | what prod holds |

  @administrator
  Scenario: A tampered journal is refused, and nothing is done
    Given the application as it runs now
    And a refresh from prod that met kill -9, after the application was scaled to 0
    And somebody who has tampered with its journal
    When a recovery is attempted
    Then it is left outstanding, and names "the journals in the Lease and in the Application differ"
    And the cluster is as that person left it
    When the journal is mended
    And what it left is recovered
    Then the application runs as before, with self-heal exactly as it was

  @administrator
  Scenario: A person who re-arms meanwhile is respected and told
    Given a refresh from prod that met kill -9, after self-heal was paused
    And somebody who has re-armed self-heal, without pruning
    When what it left is recovered
    Then self-heal is exactly as that person left it
    And the recovery tells that "somebody has changed the sync policy, which was left"
    And nobody holds the Lease, and no journal is left

  @administrator
  Scenario: A human's pause is respected
    Given somebody who has paused self-heal
    When a refresh from prod meets SIGTERM, after the application was scaled to 0
    Then it ends as interrupted, with everything put back
    And self-heal is exactly as that person left it
    And nobody holds the Lease, and no journal is left

  Scenario: The second run is refused
    Given the application as it runs now
    When a second refresh is attempted while the first has stopped the application
    Then the second is refused, and says who holds the Lease, since when, and until when
    And the second has changed nothing
    And the application runs as before, with self-heal exactly as it was

  @administrator
  Scenario: A refresh waits until the application is really gone
    Given an application that hangs, with its session open
    When the sandbox is refreshed from prod, and looked at meanwhile
    Then the application was connected when it had been told to end
    And nobody was connected while the content was replaced

  Scenario: The application answers from the new content after a refresh
    Given a rehearsal that has renamed the company
    And an application that answers with the new name
    When the sandbox is refreshed from prod
    Then the application answers with the name of prod's company
