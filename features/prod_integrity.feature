@integrity
Feature: Prod's integrity
  Prod and sandbox are two databases of one server. No path from the sandbox may lead to prod. Each
  guarantee is proven in the strongest form that the target allows: by attempts on a twin, which is
  a throwaway server built as the target is; by what the target's own catalogues say; or it is said
  why it is not provable here. Prod itself is only ever asked.

  Scenario: Prod is read-only during a refresh
    Given prod as it is now
    And the databases of the server as they are now
    When the sandbox is refreshed from prod
    Then every session of the harness on prod starts read-only
    And the run's sessions on prod were looked at, and had written nothing
    And none of them locked more than a reader does
    And none of them is left
    And prod is exactly as it was
    And the databases of the server are as they were
    When the target is audited
    Then it is proven that prod is read-only during a refresh

  Scenario: The restore can only write the sandbox
    Given a sandbox that is the same as prod
    When the target is audited
    Then it is proven that the restore can only write the sandbox
    And the restore has loaded everything as the sandbox's owner role

  Scenario: No database is dropped or created
    Given a golden copy of a sandbox that is the same as prod
    And the databases of the server as they are now
    When the sandbox is reset
    Then the databases of the server are as they were
    When the target is audited
    Then it is proven that no database is dropped or created

  Scenario: Prod cannot be dropped
    When the target is audited
    Then it is proven that prod cannot be dropped

  Scenario: The sandbox cannot take prod's locks
    When the target is audited
    Then it is proven that the sandbox cannot take prod's locks

  Scenario: What the sandbox can take of the server that it shares with prod is bounded
    When the target is audited
    Then it is proven that what the sandbox can take of slots, lock table and disk is bounded

  Scenario: Prod is left alone by checkpoint, rehearsal and reset
    Given a sandbox that is the same as prod
    And prod as it is now
    And a golden copy of the sandbox
    And a rehearsal that wrote to the sandbox
    When the sandbox is reset
    Then prod is exactly as it was

  Scenario: The runner's identity cannot touch prod's namespace
    When it is asked what the harness's identity may do in the cluster
    Then it may do none of this to prod
      | what                              |
      | scale its application             |
      | delete its application            |
      | run anything beside it            |
      | read its Secrets                  |
      | enter its pods                    |
      | change its Application in Argo CD |
      | delete its Application in Argo CD |
    When the target is audited
    Then it is proven that the harness cannot touch prod's namespace, nor its Application

  Scenario: The runner may change nothing but the pause of the sandbox's Application
    When the target is audited
    Then it is proven that the harness may change nothing of the sandbox's Application but the pause

  Scenario: The harness can lease no login but its own
    When the target is audited
    Then it is proven that the harness can lease no login but its own

  Scenario: An audit changes nothing
    Given prod as it is now
    And the databases of the server as they are now
    And the application as it runs now
    When the target is audited anew, by questions alone
    Then prod is exactly as it was
    And the databases of the server are as they were
    And the application runs as before, with self-heal exactly as it was
    And nobody holds the Lease, and no journal is left

  Scenario: Nothing is open that nobody has accepted
    When the target is audited
    Then no path to prod is open
    And nothing is unproven
    And every attempt on the twin ended as it must

  @prod_traffic
  Scenario: Ordinary traffic on prod during a refresh raises no false alarm
    Given prod as it is now
    When the sandbox is refreshed while prod's application goes on writing
    Then prod has changed by what its application wrote, and by nothing else
    And every session of the harness on prod starts read-only
