// All parts are there: show what the address asks for.
choices.read();
choices.tell();
