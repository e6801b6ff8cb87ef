"""The gateway: one address for any client, each request within its budget.

running                              processes, the socket, the end on a signal
app · routes                         one file for each thing that a client may ask for
routing · wishes · asked             which model, strategy and budget a request means
relay · scaled                       passed on as it is, or answered by a strategy
accounts · store                     what a key may spend, and has spent
wire                                 bodies, headers, errors and events as they are on the wire
config                               what the operator stated
"""
