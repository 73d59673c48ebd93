@golden
Feature: What a rehearsal changed
  Whoever lets an agent rehearse wants to see what it did: every row, and nothing of a secret. The
  list can be asked for at any time, and a reset tells what it took back.

  Scenario: What a rehearsal wrote is told table by table, and row by row
    Given a sandbox that is the same as prod
    And a golden copy of the sandbox
    And a rehearsal that wrote to the sandbox
    When the sandbox is reset
    Then the rehearsal changed only
      | table                    | inserted | updated | deleted |
      | llx_societe              | 1        | 0       | 0       |
      | llx_facture              | 1        | 0       | 0       |
      | llx_facturedet           | 2        | 0       | 0       |
      | llx_bank                 | 1        | 0       | 0       |
      | llx_bank_url             | 2        | 0       | 0       |
      | llx_paiement             | 1        | 0       | 0       |
      | llx_paiement_facture     | 1        | 0       | 0       |
      | llx_actioncomm           | 1        | 0       | 0       |
      | llx_actioncomm_resources | 1        | 0       | 0       |
    And the rehearsal inserted into "llx_societe" a row with
      | column       | value               |
      | nom          | Rehearsal Ltd       |
      | note_private | made in a rehearsal |
      | note_public  | (null)              |
    And the rehearsal inserted into "llx_facture" a row with
      | column    | value |
      | paye      | 1     |
      | fk_statut | 2     |

  Scenario: A changed row is told column by column, before a reset and by it
    Given a sandbox that is the same as prod
    And a golden copy of the sandbox
    And a rehearsal that switched a country off
    When the changes of the rehearsal are asked for
    Then the rehearsal changed only
      | table         | inserted | updated | deleted |
      | llx_c_country | 0        | 1       | 0       |
    And the rehearsal changed in "llx_c_country" the row "1"
      | column | before | after |
      | active | 1      | 0     |
    When the sandbox is reset
    Then the reset tells the same changes

  Scenario: What is only read, and what is rolled back, changes nothing
    Given a sandbox that is the same as prod
    And a golden copy of the sandbox
    And a rehearsal that only read
    And a rehearsal that was rolled back
    When the changes of the rehearsal are asked for
    Then the rehearsal changed nothing

  Scenario: That a secret changed is told, and nothing of the secret
    Given a sandbox that is the same as prod
    And a golden copy of the sandbox
    And a rehearsal that gave out a key
    When the sandbox is reset
    Then the rehearsal changed only
      | table     | inserted | updated | deleted |
      | llx_user  | 0        | 1       | 0       |
      | llx_const | 1        | 0       | 0       |
    And the rehearsal inserted into "llx_const" a row with
      | column | value             |
      | name   | REHEARSAL_API_KEY |
      | value  | •••               |
    And the secret is in no form of the report
