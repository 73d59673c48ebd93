@refresh
Feature: Refresh from prod
  A rehearsal is worth what its sandbox is worth. After a refresh the sandbox holds what prod held at
  one moment, and that is proven by looking at the content, never by the exit code of a tool.

  Scenario: The sandbox holds what prod holds
    When the sandbox is refreshed from prod
    Then the sandbox equals prod in
      | what      |
      | tables    |
      | columns   |
      | rows      |
      | keys      |
      | indexes   |
      | triggers  |
      | functions |
      | sequences |
    And the sandbox does not differ from prod in anything else
    And the content of the sandbox is marked complete

  Scenario: What a rehearsal wrote is gone after a refresh
    Given a sandbox that is the same as prod
    And a rehearsal that wrote to the sandbox
    When the sandbox is refreshed from prod
    Then the sandbox does not differ from prod in anything

  Scenario: The provisioner's function for PgBouncer stays as it is
    Given the provisioner's functions in the sandbox as they are now
    When the sandbox is refreshed from prod
    Then the provisioner's functions in the sandbox are as they were

  Scenario: A restore that loads nothing and reports success is caught
    Given a sandbox that is the same as prod
    And a golden copy of the sandbox
    And a pg_restore that loads nothing of prod and ends with exit code 0
    When a refresh from prod is attempted
    Then it fails, and names "table llx_"
    And the sandbox does not differ from the golden copy
    And the content of the sandbox is marked complete

  Scenario: Exit code 0 with the rows of a table missing is not accepted
    Given a sandbox that is the same as prod
    And a golden copy of the sandbox
    And a pg_restore that leaves out the rows of "llx_facture" and ends with exit code 0
    When a refresh from prod is attempted
    Then it fails, and names "rows llx_facture"
    And the sandbox does not differ from the golden copy

  Scenario: Exit code 1 with everything loaded is accepted
    Given a pg_restore that loads everything and ends with exit code 1
    When the sandbox is refreshed from prod
    Then the sandbox does not differ from prod in anything
    And the report tells that pg_restore ended with exit code 1

  Scenario: A failed refresh without a golden copy leaves the content marked incomplete
    Given an empty golden store
    And a pg_restore that loads nothing of prod and ends with exit code 0
    When a refresh from prod is attempted
    Then it fails, and names "table llx_"
    And the content of the sandbox is marked incomplete
