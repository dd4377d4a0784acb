"""Sentences around the values.

The recognisers were written with DEV at hand; HELD_OUT was written after all changes to them and not tuned on.
"""

DEV = (
    "请帮我写一封邮件，附上{}。",
    "帮我核对一下这个：{}，谢谢",
    "我的信息是{}，能查到吗？",
    "Please fill in the form with {}.",
    "Here is what you asked for: {}",
    "My details are {}, thanks!",
    "客服您好，昨天登记的是{}，今天想改成别的，怎么操作？",
    "整理成表格：\n1. {}\n2. 其他待补充",
    "「{}」这个对不对",
    "老师让交的材料里写着{}还有别的吗",
    "转发：{}（请勿外传）",
    "翻译成英文：他留下了{}就走了。",
    "{}\n以上内容请脱敏后再发给我",
    "日志里打印了 value={} level=info",
    "Can you tell me whether {} looks right to you?",
    "The customer left {}; please call back tomorrow.",
    "- {}\n- pending\n- none",
    '{{"note": "{}", "status": "open"}}',
    "Summarise: on Monday she sent {} and asked for a refund.",
    "re: {} (urgent)",
    "> {}\n\nWhat does the line above mean?",
    "I typed {} into the box and it was rejected",
)
HELD_OUT = (
    "麻烦记一下{}，晚点联系。",
    "备注栏写的是{}呢",
    "上次他发我{}让我转给你",
    "问：{}是谁的？答：不清楚。",
    "【工单】内容：{}；状态：处理中",
    "把{}替换成星号",
    "发票抬头下面那行是{}。",
    "截图里能看到{}，其余模糊",
    "After the meeting he wrote down {} on the board.",
    "Is {} still correct?",
    "FYI {} / please archive",
    "csv: 17,{},active",
    "<td>{}</td>",
    "Forwarded: '{}'",
    "User said {}... then left",
    "\t{}\tOK",
    "please mask {}, keep the rest",
    "What would you do with {}?",
)
