@integrity
Feature: Prod's integrity
  Prod and sandbox are two databases of one server. No path from the sandbox may lead to prod, and
  each scenario proves one layer of that.

  Scenario: Prod is read-only during a refresh
    Given prod as it is now
    When the sandbox is refreshed from prod
    Then every session of the harness on prod starts read-only
    And pg_dump was looked at while it ran, and had written nothing
    And prod is exactly as it was

  Scenario: The restore can only write the sandbox
    Given a sandbox that is the same as prod
    When the powers of the sandbox's logins are asked for
    Then the only database that they own is the sandbox
    And prod is not among the databases that they may connect to
    And the restore has loaded everything as the sandbox's owner role

  Scenario: No database is dropped or created
    Given the databases of the server as they are now
    And a golden copy of a sandbox that is the same as prod
    When the sandbox is refreshed from prod
    And the sandbox is reset
    Then the databases of the server are as they were
    When the powers of the sandbox's logins are asked for
    Then none of them may create a database

  Scenario: Prod cannot be dropped
    When the powers of the sandbox's logins are asked for
    Then none of them is, or can become, the owner of prod
    And none of them is, or can become, a superuser

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
      | read its Secrets                  |
      | enter its pods                    |
      | change its Application in Argo CD |
      | delete its Application in Argo CD |
    And it may do nothing else that could hurt prod

  Scenario: The runner may change nothing but the pause of the sandbox's Application
    When a change of something else is rehearsed on the sandbox's Application
    Then the admission policy has denied it, or it is reported that none is enforced here

  @local
  Scenario: Ordinary traffic on prod during a refresh raises no false alarm
    Given prod as it is now
    When the sandbox is refreshed while prod's application goes on writing
    Then prod has changed by what its application wrote, and by nothing else
    And every session of the harness on prod starts read-only
