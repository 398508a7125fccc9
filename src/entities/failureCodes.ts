/**
 * What a failed statement means for whoever sent it:
 * `fault`: the statement itself is wrong, and is so each time; `conflict`: it was undone for another transaction's sake, and may be
 * repeated at once; `refused`: the server does not do it now, and nothing of it happened; `unreachable`: it was never sent;
 * `lost`: it was sent, and no answer came.
 */
export type Failure = "fault" | "conflict" | "refused" | "unreachable" | "lost";

/** What the server's error numbers mean. Those of MySQL and MariaDB are the same below 1,900 or so. */
export const SERVER_CODES: ReadonlyArray<readonly [code: number, failure: Failure, meaning: string]> = [
  // The statement.
  [1048, "fault", "a column that takes no NULL is given one"],
  [1052, "fault", "a column's name is ambiguous"],
  [1054, "fault", "no such column"],
  [1062, "fault", "a key that is taken"],
  [1064, "fault", "syntax"],
  [1065, "fault", "an empty statement"],
  [1093, "fault", "a table is changed and read by one statement"],
  [1110, "fault", "a column is given twice"],
  [1111, "fault", "an aggregate where there can be none"],
  [1136, "fault", "a row with too many or too few values"],
  [1139, "fault", "a wrong regular expression"],
  [1146, "fault", "no such table"],
  [1153, "fault", "a statement larger than max_allowed_packet"],
  [1166, "fault", "a wrong column name"],
  [1216, "fault", "a row that the foreign key's table does not have"],
  [1217, "fault", "a row that a foreign key needs"],
  [1241, "fault", "too many or too few columns"],
  [1242, "fault", "a subquery with more than one row"],
  [1263, "fault", "a column that takes no NULL is loaded with one"],
  [1264, "fault", "a number out of its column's range"],
  [1265, "fault", "a value that its column would cut"],
  [1267, "fault", "collations that do not go together"],
  [1292, "fault", "a value that is not of the wanted type"],
  [1305, "fault", "no such function or procedure"],
  [1364, "fault", "a column without a value and without a default"],
  [1365, "fault", "a division by zero"],
  [1366, "fault", "text that its column cannot hold"],
  [1390, "fault", "too many placeholders"],
  [1406, "fault", "text longer than its column"],
  [1451, "fault", "a row that a foreign key needs"],
  [1452, "fault", "a row that the foreign key's table does not have"],
  [1582, "fault", "a function with wrong arguments"],
  [1586, "fault", "a key that is taken"],
  [1690, "fault", "a result out of its type's range"],
  [3140, "fault", "text that is not JSON (MySQL)"],
  [3819, "fault", "a row that a CHECK forbids (MySQL)"],
  [4025, "fault", "a row that a CHECK forbids (MariaDB)"],
  // Another transaction.
  [1020, "conflict", "the row has changed since this transaction read it"],
  [1205, "conflict", "another transaction has held a lock for too long"],
  [1213, "conflict", "a deadlock, or a write that another node of a Galera cluster was first with"],
  [1412, "conflict", "the table's definition has changed since this transaction began"],
  [1614, "conflict", "a branch of a transaction was undone for a deadlock"],
  [3101, "conflict", "the other members of a replication group had this transaction undone"],
  [3572, "conflict", "a row is locked, and NOWAIT was said (MySQL)"],
  // The server takes no writes.
  [1290, "refused", "read_only, or another option that forbids the statement"],
  [1792, "refused", "the transaction is read-only"],
  [1836, "refused", "the server is in read-only mode"],
  [3100, "refused", "the replication group lets nobody commit"],
  // The server is not ready, or goes.
  [1047, "refused", "a Galera node that is not ready, or has lost its group"],
  [1053, "refused", "the server shuts down"],
  [1079, "refused", "the server shuts down"],
  [1927, "lost", "the connection was killed"],
  // Somebody or something has interrupted the statement.
  [1317, "refused", "the statement was killed"],
  [1969, "refused", "max_statement_time"],
  [3024, "refused", "max_execution_time"],
  [4031, "lost", "the server ended a connection that was idle"],
  // Limits.
  [1038, "refused", "no memory for sorting"],
  [1037, "refused", "no memory"],
  [1040, "refused", "max_connections"],
  [1041, "refused", "no memory"],
  [1129, "refused", "the host is blocked after too many broken connections"],
  [1135, "refused", "no thread for a connection"],
  [1203, "refused", "max_user_connections"],
  [1206, "refused", "the table of locks is full"],
  [1226, "refused", "a limit of the account"],
  [1637, "refused", "too many transactions"],
  // Disk and files.
  [1021, "refused", "the disk is full"],
  [1023, "refused", "a file could not be closed"],
  [1026, "refused", "a file could not be written"],
  [1028, "refused", "a sort was given up: a full disk for temporary files, or a kill"],
  [1030, "refused", "the storage engine failed"],
  [1114, "refused", "the table is full: so is the disk"],
  [1180, "lost", "the storage engine failed during the COMMIT, which may have happened"],
  [1194, "refused", "the table is marked as crashed"],
  [1877, "refused", "the table's pages cannot be read"],
  // The account, which an operator may set right.
  [1044, "refused", "the account has no right to the database"],
  [1045, "refused", "the password is wrong"],
  [1049, "refused", "no such database"],
  [1130, "refused", "the host may not connect"],
  [1142, "refused", "the account has no right to the table"],
  [1227, "refused", "the account lacks a right"],
  [1698, "refused", "the account may not connect"],
];

/** The SQL states that say of themselves that the statement is wrong; a code above counts for more. */
export const FAULTY_STATES: ReadonlyArray<readonly [sqlState: string, meaning: string]> = [
  ["21", "a cardinality that does not fit"],
  ["22", "data that do not fit"],
  ["23", "a constraint"],
  ["42", "syntax, or names that nothing has"],
];

/** What mysql2 and the operating system say, where there was no answer of the server. */
export const CLIENT_CODES: ReadonlyArray<readonly [code: string, failure: Failure, meaning: string]> = [
  ["ECONNREFUSED", "unreachable", "nobody listens there"],
  ["ENOTFOUND", "unreachable", "no such host"],
  ["EAI_AGAIN", "unreachable", "the name service does not answer"],
  ["EHOSTUNREACH", "unreachable", "no route to the host"],
  ["ENETUNREACH", "unreachable", "no route to the network"],
  ["ECONNECT", "unreachable", "no connection could be made in time"],
  ["CONNECTION_GONE", "unreachable", "the connection was lost before this statement"],
  ["POOL_CLOSED", "unreachable", "this node has closed its connections"],
  ["POOL_FULL", "refused", "too much work waits for a connection"],
  ["POOL_TIMEOUT", "refused", "no connection has become free in time"],
  ["STATEMENT_TIMEOUT", "lost", "no answer in time"],
  ["PROTOCOL_CONNECTION_LOST", "lost", "the connection was lost"],
  ["ECONNRESET", "lost", "the connection was reset"],
  ["EPIPE", "lost", "the connection was closed"],
  ["ETIMEDOUT", "lost", "the network gave the connection up"],
];

/** What SQLite's codes mean; an extended code (`SQLITE_IOERR_WRITE`) means what its beginning does. */
export const SQLITE_CODES: ReadonlyArray<readonly [code: string, failure: Failure, meaning: string]> = [
  ["SQLITE_ERROR", "fault", "syntax, or a name that nothing has"],
  ["SQLITE_CONSTRAINT", "fault", "a constraint"],
  ["SQLITE_MISMATCH", "fault", "a value of the wrong type"],
  ["SQLITE_TOOBIG", "fault", "a text or a statement that is too long"],
  ["SQLITE_RANGE", "fault", "a placeholder that there is not"],
  ["SQLITE_MISUSE", "fault", "a wrong use of the library"],
  ["SQLITE_BUSY", "conflict", "another process writes"],
  ["SQLITE_LOCKED", "conflict", "another statement uses the table"],
  ["SQLITE_FULL", "refused", "the disk is full"],
  ["SQLITE_IOERR", "refused", "the disk failed"],
  ["SQLITE_READONLY", "refused", "the file may not be written"],
  ["SQLITE_CORRUPT", "refused", "the file is damaged"],
  ["SQLITE_NOTADB", "refused", "the file is no database"],
  ["SQLITE_CANTOPEN", "refused", "a file cannot be opened"],
  ["SQLITE_NOMEM", "refused", "no memory"],
  ["SQLITE_PERM", "refused", "the file's permissions"],
  ["SQLITE_PROTOCOL", "refused", "too many processes at the file"],
  ["SQLITE_INTERRUPT", "refused", "the statement was interrupted"],
];
