#!/bin/sh
# SMS of Zabbix by devinotify: goes to the folder that AlertScriptsPath of zabbix_server.conf names, mode 0755.
# Its parameters are {ALERT.SENDTO}, {ALERT.SUBJECT} and {ALERT.MESSAGE}, in this order.
exec devinotify alert --profile zabbix --url-file /etc/devinotify/url -- "$@"
